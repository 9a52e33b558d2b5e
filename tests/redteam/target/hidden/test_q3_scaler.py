"""Hidden tests of the target's third question: handles, probes, provided functions, a result that is sent back."""

import torch

from autograder.testing import expect_close, normal, points


@points(1, "3a", hint="multiply by the width", timeout=1)
def test_scaler_multiplies(ps, rng):
    """A Scaler multiplies by its width."""
    x = normal(rng, 4)
    scaler = ps.Scaler(0.7316294851)
    expect_close(ps.get(scaler, "width"), 0.7316294851)
    expect_close(scaler.apply(x), 0.7316294851 * x)


def gradient(ns, x):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(ns.Scaler(0.25).apply(x).sum(), x)[0]


@points(1, "3a", hint="the gradient must reach x", timeout=1)
def test_gradient_is_the_width(ps, rng):
    """The gradient with respect to x is the width."""
    expect_close(ps.run(gradient, normal(rng, 3)), torch.full((3,), 0.25, dtype=torch.float64))


@points(2, "3a", hint="scale, then halve", timeout=1)
def test_a_result_can_be_scaled_again(ps, rng):
    """What halve returns can be halved again."""
    x = normal(rng, 6)
    scaler = ps.Scaler(3.0)
    once = ps.halve(scaler, x)
    expect_close(ps.halve(scaler, once), 2.25 * x)
