"""Question 1: schedules and the jump. Oracles: formulas in plain Python, and the chain of small steps, one by one."""

import math

import numpy as np
import torch

from autograder.hidden.ps3_diffusion_flow import closed_forms, known_good
from autograder.testing import expect_close, expect_equal, expect_true, non_contiguous, normal, points, untouched

KINDS = ("linear", "cosine")
BARE = "nothing but the formula: shares may be as near to 0 and to 1 as in the schedules of 1a"


def schedule(ps, kind, T):
    """The student's betas and alpha_bar, or a sentence."""
    got = ps.make_schedule(kind, T)
    expect_true(isinstance(got, (tuple, list)) and len(got) == 2, "return two tensors: betas, alpha_bar")
    return got


def linear_betas(T):
    """The linear schedule by interpolation, step by step."""
    return [min(0.999, (1e-4 + (0.02 - 1e-4) * t / (T - 1)) * 1000 / T) for t in range(T)]


def cosine_betas(T):
    """The cosine schedule by ratios of neighbours on the curve."""
    f = [math.cos((t / T + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(T + 1)]
    return [min(0.999, 1 - f[t + 1] / f[t]) for t in range(T)]


def draw_times(rng, B, T):
    """Times (B,) that differ from example to example wherever T allows."""
    return torch.from_numpy(np.concatenate([rng.permutation(T) for _ in range(B // T + 1)])[:B])


@points(1, part="1a", hint="T numbers from 1e-4 to 0.02, both included, then scaled by 1000 / T, at most 0.999")
def test_linear_betas_grow_evenly_and_scale_with_the_number_of_steps(ps, rng):
    """The linear betas grow evenly between both ends, are scaled by 1000 / T and stay at or below 0.999."""
    for T in (1000, int(rng.integers(30, 90)), 400, 12):
        expect_close(schedule(ps, "linear", T)[0], np.array(linear_betas(T)))


@points(1, part="1a", hint="beta_t compares the curve at (t + 1) / T with the curve at t / T; at most 0.999")
def test_cosine_betas_are_ratios_of_neighbours_on_the_curve(ps, rng):
    """Each cosine beta is one minus the ratio of two neighbours on the squared cosine, and at most 0.999."""
    for T in (1000, int(rng.integers(30, 90)), 5, 2):
        expect_close(schedule(ps, "cosine", T)[0], np.array(cosine_betas(T)))


@points(1, part="1a", hint="alpha_bar is what is left after all steps so far: a product of shares, this step included")
def test_alpha_bar_is_the_product_of_what_each_step_keeps(ps, rng):
    """alpha_bar at t is the product of 1 - beta over the steps 0..t of the betas that are returned."""
    for kind, oracle in (("linear", linear_betas), ("cosine", cosine_betas)):
        for T in (int(rng.integers(20, 60)), 7):
            kept = [math.prod(1 - beta for beta in oracle(T)[: t + 1]) for t in range(T)]
            expect_close(schedule(ps, kind, T)[1], np.array(kept), atol=0.0)


@points(1, part="1b", hint="at time -1 the data is clean and its share is 1; alpha_bar[-1] in Python is the last entry")
def test_share_is_looked_up_per_example_and_is_one_before_time_zero(ps, rng):
    """Each example gets alpha_bar at its own time, 1 at time -1, as (B, 1, ..., 1) in the dtype of x."""
    for shape, T in (((4, 3), 6), ((5, 1, 3, 5), 4), ((3, 3), 3), ((1, 2, 4), 5), ((6,), 8)):
        alpha_bar = closed_forms.draw_alpha_bar(rng, T)
        times = draw_times(rng, shape[0], T + 1) - 1
        times[0] = -1 if shape[0] > 1 else times[0]
        for t in (times, torch.full_like(times, -1), torch.full_like(times, T - 1)):
            share = [1.0 if s == -1 else float(alpha_bar[s]) for s in t.tolist()]
            want = torch.tensor(share, dtype=torch.float64).reshape(-1, *[1] * (len(shape) - 1))
            expect_close(ps.alpha_bar_at(alpha_bar, t, normal(rng, *shape)), want)
            single = ps.alpha_bar_at(alpha_bar, t, normal(rng, *shape, dtype=torch.float32))
            expect_close(single, want.float(), "in the dtype of x")


@points(1, part="1b", hint="the variance of the noise is 1 minus the share, its scale the root; one time per example")
def test_jump_lands_where_the_small_steps_lead(ps, rng):
    """Means and variances of the jump are those of t + 1 small steps in a row, at a time of its own per example."""
    ps.provide(alpha_bar_at=known_good.alpha_bar_at)
    for shape, T in (((5, 2), 7), ((4, 1, 3, 4), 6), ((3, 2, 3, 3), 3), ((1, 4), 5), ((4, 2), 4)):
        alpha_bar, t = closed_forms.draw_alpha_bar(rng, T), draw_times(rng, shape[0], T)
        alpha_bar = closed_forms.extreme_alpha_bar(T) if shape[0] == T == 4 else alpha_bar
        betas = 1 - alpha_bar.numpy() / closed_forms.previous(alpha_bar)
        mean, variance = np.ones(shape[0]), np.zeros(shape[0])
        for i, time in enumerate(t.tolist()):
            for beta in betas[: time + 1]:
                mean[i], variance[i] = mean[i] * math.sqrt(1 - beta), variance[i] * (1 - beta) + beta
        x0, noise = normal(rng, *shape) + 1, normal(rng, *shape)
        factors = [closed_forms.per_example(each, x0) for each in (mean, np.sqrt(variance))]
        want = factors[0] * x0.numpy() + factors[1] * noise.numpy()
        hint = BARE if shape[0] == T == 4 else closed_forms.along_the_width(shape)
        expect_close(ps.q_sample(x0, t, noise, alpha_bar), want, hint)


@points(
    1,
    part="1b",
    hint="one time per example, -1 and repeated ones too; float32 and strided digits; B may equal the width",
)
def test_jump_keeps_dtype_and_memory_and_may_stop_at_clean_data(ps, rng):
    """Float32 and strided digits stay float32; at time -1 the jump is the clean example; equal times are allowed."""
    ps.provide(alpha_bar_at=known_good.alpha_bar_at)
    alpha_bar = closed_forms.draw_alpha_bar(rng, 6)
    for t in ([2, -1, 2, 5], [-1, -1, -1, -1], [0, 0, 5, 5]):
        x0, noise = normal(rng, 4, 1, 3, 4), normal(rng, 4, 1, 3, 4)
        share = np.array([1.0 if s == -1 else float(alpha_bar[s]) for s in t])
        factors = [closed_forms.per_example(each, x0) for each in (np.sqrt(share), np.sqrt(1 - share))]
        want = torch.from_numpy(factors[0] * x0.numpy() + factors[1] * noise.numpy())
        given = (non_contiguous(x0.float()), torch.tensor(t), non_contiguous(noise.float()))
        got = untouched(ps, "q_sample", *given, alpha_bar)
        expect_equal(str(got.dtype), "torch.float32", "the dtype of x0")
        expect_close(got, want.float())


@points(1, part="1c", hint="variance of the signal over variance of the noise, for each of the B times")
def test_snr_compares_variances(ps, rng):
    """The ratio is the signal's variance over the noise's, one number per time, in any order of times."""
    for B, T in ((3, 7), (1, 4), (9, 5)):
        alpha_bar, t = closed_forms.draw_alpha_bar(rng, T), draw_times(rng, B, T)
        for shares, hint in ((alpha_bar, None), (closed_forms.extreme_alpha_bar(T), BARE)):
            want = [float(shares[s]) / (1 - float(shares[s])) for s in t.tolist()]
            expect_close(ps.snr(t, shares), np.array(want), hint)
