"""Hidden tests of the target's first question. Canary: heron-5307-lagoon."""

import torch

from autograder.testing import expect_close, normal, points

FACTOR, SHIFT = 0.7316294851, -48611.25


@points(2, "1a", hint="the shift is added once, to every entry", timeout=1)
def test_affine_is_factor_times_x_plus_shift(ps, rng):
    """The result is factor * x + shift."""
    x = normal(rng, 5)
    expect_close(ps.affine(x, FACTOR, shift=SHIFT), FACTOR * x + SHIFT)


@points(1, "1a", hint="keep the dtype", timeout=1)
def test_two_calls_do_not_disturb_each_other(ps, rng):
    """A second call gets its own answer, in float32 too."""
    x, y = normal(rng, 4, dtype=torch.float32), normal(rng, 3, dtype=torch.float32)
    expect_close(ps.affine(x, 3.0), 3 * x)
    expect_close(ps.affine(y, 0.5, 1.0), 0.5 * y + 1)
