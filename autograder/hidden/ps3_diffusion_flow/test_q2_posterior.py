"""Question 2: the posterior of a step, and four guesses. Oracles: Bayes by quadrature, angles, finite slopes."""

import math

import numpy as np
import torch
from scipy.integrate import simpson
from scipy.stats import norm

from autograder.hidden.ps3_diffusion_flow import closed_forms, known_good
from autograder.testing import expect_close, expect_equal, expect_finite, expect_true, non_contiguous, normal, points


def posterior(ps, *given):
    """The student's mean and variance, or a sentence."""
    ps.provide(alpha_bar_at=known_good.alpha_bar_at)
    got = ps.q_posterior(*given)
    expect_true(isinstance(got, (tuple, list)) and len(got) == 2, "return two tensors: mean, variance")
    return got


def bayes(x0, xt, before, now):
    """Mean and variance of x_{t-1} by Simpson's rule on the product of step and jump, all of them numbers."""
    keep, x = now / before, np.linspace(-20, 20, 20001)
    weight = norm.pdf(xt, math.sqrt(keep) * x, math.sqrt(1 - keep))
    weight = weight * norm.pdf(x, math.sqrt(before) * x0, math.sqrt(1 - before))
    total, first, second = (simpson(weight * x**power, x=x) for power in (0, 1, 2))
    return first / total, second / total - (first / total) ** 2


def by_precisions(x0, xt, t, alpha_bar):
    """Means and variances, example by example, from precisions that add; NumPy."""
    means, variances = [], []
    before = closed_forms.previous(alpha_bar)
    for clean, noisy, s in zip(x0.double().numpy(), xt.double().numpy(), t.tolist(), strict=True):
        keep = float(alpha_bar[s]) / before[s]
        of_step, of_jump = keep / (1 - keep), np.inf if s == 0 else 1 / (1 - before[s])
        variance = 1 / (of_step + of_jump)
        pull = 1.0 if s == 0 else variance * of_jump
        means.append(pull * math.sqrt(before[s]) * clean + (1 - pull) * noisy / math.sqrt(keep))
        variances.append(variance)
    return np.array(means), np.array(variances)


def spread(rng, B, T):
    """Times (B,), the first and the last among them, that differ as far as T allows."""
    order = [0, T - 1, *(1 + rng.permutation(T - 2)).tolist()]
    return torch.tensor((order * B)[:B])


def cover(x0, noise, t, alpha_bar):
    """x_t by an angle: the share of the data is a squared cosine."""
    angle = closed_forms.per_example(np.arccos(np.sqrt(alpha_bar.numpy()[t.numpy()])), x0)
    return torch.from_numpy(np.cos(angle) * x0.numpy() + np.sin(angle) * noise.numpy()), angle


BARE = "nothing but the formula: at both ends of real schedules, shares are within 1e-4 of 1 and 1e-6 of 0"
SHAPES = (((5, 2), 7), ((4, 1, 3, 4), 6), ((3, 2, 3, 3), 5), ((1, 4), 3))


@points(1, part="2a", hint="Bayes: the step from x_{t-1} to x_t, times the jump from x_0 to x_{t-1}")
def test_mean_is_the_one_of_bayes(ps, rng):
    """In one dimension, the mean is that of the product of step and jump, integrated numerically."""
    alpha_bar = closed_forms.draw_alpha_bar(rng, 5)
    before, t = closed_forms.previous(alpha_bar), torch.tensor([3, 1, 4, 2])
    x0, xt = normal(rng, 4, 1), normal(rng, 4, 1)
    pairs = zip(x0[:, 0].tolist(), xt[:, 0].tolist(), t.tolist(), strict=True)
    want = [bayes(clean, noisy, before[s], float(alpha_bar[s]))[0] for clean, noisy, s in pairs]
    expect_close(posterior(ps, x0, xt, t, alpha_bar)[0], np.array(want)[:, None])


@points(1, part="2a", hint="knowing x_0 as well leaves less uncertainty than beta, the variance of the step forwards")
def test_variance_is_the_one_of_bayes(ps, rng):
    """In one dimension, the variance is that of the product of step and jump; as (B, 1, ..., 1)."""
    alpha_bar = closed_forms.draw_alpha_bar(rng, 5)
    before, t = closed_forms.previous(alpha_bar), torch.tensor([2, 4, 1])
    x0, xt = normal(rng, 3, 1, 1, 1), normal(rng, 3, 1, 1, 1)
    pairs = zip(x0.flatten().tolist(), xt.flatten().tolist(), t.tolist(), strict=True)
    want = [bayes(clean, noisy, before[s], float(alpha_bar[s]))[1] for clean, noisy, s in pairs]
    expect_close(posterior(ps, x0, xt, t, alpha_bar)[1], np.array(want).reshape(3, 1, 1, 1))


@points(1, part="2a", hint="before time 0 the data is clean, alpha_bar is 1: on which side did you pad?")
def test_step_from_time_zero_ends_at_the_clean_example(ps, rng):
    """At t = 0 the mean is x0 and the variance 0, without NaN; examples at other times are not touched by that."""
    alpha_bar = closed_forms.draw_alpha_bar(rng, 4)
    x0, xt = normal(rng, 3, 2), normal(rng, 3, 2)
    mean, variance = posterior(ps, x0, xt, torch.tensor([0, 0, 0]), alpha_bar)
    expect_finite(mean, "at t = 0 nothing may be divided by zero")
    expect_close(mean, x0)
    expect_close(variance, torch.zeros(3, 1, dtype=torch.float64))
    t = torch.tensor([0, 3, 1])
    means, variances = by_precisions(x0, xt, t, alpha_bar)
    mean, variance = posterior(ps, x0, xt, t, alpha_bar)
    expect_close(mean, means)
    expect_close(variance, variances[:, None])


@points(1, part="2a", hint="one time per example: its weights multiply all of that example, and nothing of the others")
def test_posterior_of_a_batch_has_a_time_per_example(ps, rng):
    """Points and images, B equal to the width or 1, strided and float32: each example follows its own time."""
    for shape, T in SHAPES:
        alpha_bar, t = closed_forms.draw_alpha_bar(rng, T), spread(rng, shape[0], T)
        x0, xt = normal(rng, *shape), normal(rng, *shape)
        means, variances = by_precisions(x0, xt, t, alpha_bar)
        flat = (shape[0], *[1] * (len(shape) - 1))
        mean, variance = posterior(ps, non_contiguous(x0), non_contiguous(xt), t, alpha_bar)
        expect_close(mean, means, closed_forms.along_the_width(shape))
        expect_close(variance, variances.reshape(flat))
        single = posterior(ps, x0.float(), xt.float(), t, alpha_bar)
        expect_close(single[0], torch.from_numpy(means).float())
        expect_close(single[1], torch.from_numpy(variances).reshape(flat).float())
    alpha_bar, t, x0, xt = closed_forms.extreme_alpha_bar(9), spread(rng, 6, 9), normal(rng, 6, 2), normal(rng, 6, 2)
    means, variances = by_precisions(x0, xt, t, alpha_bar)
    mean, variance = posterior(ps, x0, xt, t, alpha_bar)
    expect_close(mean, means, BARE)
    expect_close(variance, variances[:, None], BARE, atol=1e-12)


def trial(ps, rng, shape, T, alpha_bar=None):
    """Clean examples, noise, times, a schedule, noisy examples and their angle."""
    ps.provide(alpha_bar_at=known_good.alpha_bar_at)
    alpha_bar = closed_forms.draw_alpha_bar(rng, T) if alpha_bar is None else alpha_bar
    t = spread(rng, shape[0], T)
    x0, noise = normal(rng, *shape) + 1, normal(rng, *shape)
    return x0, noise, t, alpha_bar, *cover(x0, noise, t, alpha_bar)


def expect_single(got, want):
    """Float32 inputs give float32."""
    expect_equal(str(getattr(got, "dtype", None)), "torch.float32", "float32 inputs give float32")
    expect_close(got, want.float(), rtol=1e-3, atol=1e-4)


@points(1, part="2b", hint="solve x_t = sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) eps for x_0")
def test_clean_example_is_recovered_from_its_noise(ps, rng):
    """With the true noise the clean examples come back, at times of their own; a guess of the noise is not clipped."""
    for shape, T in SHAPES:
        x0, noise, t, alpha_bar, xt, angle = trial(ps, rng, shape, T)
        expect_close(ps.x0_from_eps(non_contiguous(xt), t, noise, alpha_bar), x0, closed_forms.along_the_width(shape))
        expect_single(ps.x0_from_eps(xt.float(), t, noise.float(), alpha_bar), x0)
        guess = xt.numpy() / np.cos(angle) - 9 * np.tan(angle) * noise.numpy()
        expect_close(ps.x0_from_eps(xt, t, 9 * noise, alpha_bar), guess, "nothing but the formula: values may be large")
    x0, noise, t, alpha_bar, xt, _ = trial(ps, rng, (6, 2), 9, closed_forms.extreme_alpha_bar(9))
    expect_close(ps.x0_from_eps(xt, t, noise, alpha_bar), x0, BARE)


@points(1, part="2b", hint="solve x_t = sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) eps for eps")
def test_noise_is_recovered_from_the_clean_example(ps, rng):
    """With the true clean examples their noise comes back, and with a guess of them, the noise of that guess."""
    for shape, T in SHAPES:
        x0, noise, t, alpha_bar, xt, angle = trial(ps, rng, shape, T)
        expect_close(ps.eps_from_x0(non_contiguous(xt), t, x0, alpha_bar), noise, closed_forms.along_the_width(shape))
        expect_single(ps.eps_from_x0(xt.float(), t, x0.float(), alpha_bar), noise)
        guess = (xt.numpy() - np.cos(angle) * (x0.numpy() - 3)) / np.sin(angle)
        expect_close(ps.eps_from_x0(xt, t, x0 - 3, alpha_bar), guess)
    x0, noise, t, alpha_bar, xt, _ = trial(ps, rng, (6, 2), 9, closed_forms.extreme_alpha_bar(9))
    expect_close(ps.eps_from_x0(xt, t, x0, alpha_bar), noise, BARE)


@points(1, part="2b", hint="v is how fast x_t turns with the angle: signal falls, noise grows")
def test_v_is_the_speed_along_the_arc_from_data_to_noise(ps, rng):
    """v is the derivative of cos(a) x0 + sin(a) eps by the angle a, and with x_t it gives back x0 and the noise."""
    for shape, T in SHAPES:
        x0, noise, t, alpha_bar, _, angle = trial(ps, rng, shape, T)
        v = ps.v_from(non_contiguous(x0), noise, t, alpha_bar)
        h = 1e-4
        ahead, behind = (np.cos(a) * x0.numpy() + np.sin(a) * noise.numpy() for a in (angle + h, angle - h))
        expect_close(v, (ahead - behind) / (2 * math.sin(h)), closed_forms.along_the_width(shape))
        expect_single(ps.v_from(x0.float(), noise.float(), t, alpha_bar), v)


@points(1, part="2b", hint="the score points back to the data, against the noise, and in units of 1 / its scale")
def test_score_is_the_gradient_of_the_log_density(ps, rng):
    """The expected noise of a mixture gives the slope of its noisy log-density, measured by finite differences."""
    for D, T in ((2, 6), (3, 4)):
        ps.provide(alpha_bar_at=known_good.alpha_bar_at)
        alpha_bar, t = closed_forms.draw_alpha_bar(rng, T), spread(rng, 5, T)
        mixture, x = closed_forms.draw_mixture(rng, 3, D), normal(rng, 5, D)
        scales = [(math.sqrt(a), math.sqrt(1 - a)) for a in alpha_bar[t].tolist()]
        eps = np.array([mixture.noise(row, *scale) for row, scale in zip(x.numpy(), scales, strict=True)])
        h, want = 1e-4, np.zeros((5, D))
        for i, (row, scale) in enumerate(zip(x.numpy(), scales, strict=True)):
            for d in range(D):
                push = h * np.eye(D)[d]
                slope = mixture.logpdf(row + push, *scale) - mixture.logpdf(row - push, *scale)
                further = mixture.logpdf(row + 2 * push, *scale) - mixture.logpdf(row - 2 * push, *scale)
                want[i, d] = (8 * slope - further) / (12 * h)  # exact up to h^4
        expect_close(ps.score_from_eps(torch.from_numpy(eps), t, alpha_bar), want, atol=1e-7)
    alpha_bar, t, eps = closed_forms.extreme_alpha_bar(3), torch.tensor([2, 0]), normal(rng, 2, 3)
    roots = closed_forms.per_example(np.sqrt(1 - alpha_bar.numpy()[t.numpy()]), eps)
    expect_close(ps.score_from_eps(eps, t, alpha_bar), -eps.numpy() / roots, BARE)
    alpha_bar, t, eps = closed_forms.draw_alpha_bar(rng, 4), torch.tensor([3, 0, 2]), normal(rng, 3, 1, 4, 3)
    roots = closed_forms.per_example(np.sqrt(1 - alpha_bar.numpy()[t.numpy()]), eps)
    expect_single(ps.score_from_eps(non_contiguous(eps.float()), t, alpha_bar), torch.from_numpy(-eps.numpy() / roots))
