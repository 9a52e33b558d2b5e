"""Question 4: ancestral sampling. Oracles: precisions that add, Gaussian data whose variance is known, a slow loop."""

import math

import numpy as np
import torch

from autograder.hidden.ps3_diffusion_flow import closed_forms, known_good
from autograder.testing import expect_close, expect_equal, expect_shape, expect_true, non_contiguous, normal, points

SHAPES = (((5, 2), 7), ((4, 1, 3, 4), 6), ((3, 2, 3, 3), 5), ((1, 4), 3))
VARIANCES = ("beta", "posterior")


def probe_loop(ns, slopes, offsets, xT, noises, alpha_bar, how):
    """Samples with the model slopes[t] * x + offsets[t], the times it was told, whether a graph hung on a state; xT."""
    import torch

    told, graphs = [], []

    def model(x, t):
        told.append(t)
        graphs.append(x.requires_grad)
        weight, index = slopes.clone().requires_grad_(), torch.as_tensor(t).long()
        shape = (-1, *[1] * (x.ndim - 1))
        return (weight[index].reshape(shape) * x + offsets[index].reshape(shape)).to(x.dtype)

    x = ns.ddpm_sample(model, xT, noises, alpha_bar, **how)
    graph = any(graphs) or bool(getattr(x, "requires_grad", False))
    return [x.detach() if isinstance(x, torch.Tensor) else x, told, graph, xT]


def provide(ps, *more):
    """Known-good versions of what a step is made of."""
    names = ("alpha_bar_at", "q_sample", "q_posterior", "x0_from_eps", "eps_from_x0", "score_from_eps", *more)
    ps.provide(**{name: getattr(known_good, name) for name in names})


def step(x, s, eps, noise, alpha_bar, var, clip):
    """One example's step from time s in NumPy: precisions of step and jump add, and the guess stands for the truth."""
    now, before = float(alpha_bar[s]), float(closed_forms.previous(alpha_bar)[s])
    guess = (x - math.sqrt(1 - now) * eps) / math.sqrt(now)
    guess = np.minimum(np.maximum(guess, -1.0), 1.0) if clip else guess
    if s == 0:
        return guess
    keep = now / before
    of_step, of_jump = keep / (1 - keep), 1 / (1 - before)
    variance = 1 / (of_step + of_jump)
    mean = variance * (of_step * x / math.sqrt(keep) + of_jump * math.sqrt(before) * guess)
    return mean + math.sqrt(1 - keep if var == "beta" else variance) * noise


def trial(ps, rng, shape, T):
    """Noisy examples, their times (both ends among them, if there is room), guesses, noise and a schedule."""
    provide(ps)
    alpha_bar = closed_forms.draw_alpha_bar(rng, T)
    order = [T - 1, 0, *(1 + rng.permutation(T - 2)).tolist()]
    t = torch.tensor((order * shape[0])[: shape[0]])
    return normal(rng, *shape), t, normal(rng, *shape), normal(rng, *shape), alpha_bar


def steps(xt, t, eps, noise, alpha_bar, var="beta", clip=False):
    """The step of every example, by a loop."""
    rows = zip(xt.numpy(), t.tolist(), eps.numpy(), noise.numpy(), strict=True)
    return np.stack([step(x, s, e, z, alpha_bar, var, clip) for x, s, e, z in rows])


@points(1, part="4a", hint="the posterior of question 2, with the guess of x_0 from the predicted noise in its place")
def test_mean_of_the_step_is_the_posterior_with_the_guess(ps, rng):
    """Without noise, a step leads to the posterior mean for the guess that the predicted noise implies."""
    for shape, T in SHAPES:
        xt, t, eps, noise, alpha_bar = trial(ps, rng, shape, T)
        want = steps(xt, t, eps, 0 * noise, alpha_bar)
        for var in VARIANCES:
            got = ps.ddpm_step(non_contiguous(xt), t, non_contiguous(eps), 0 * noise, alpha_bar, var)
            expect_close(got, want, closed_forms.along_the_width(shape))


@points(1, part="4a", hint="beta_t is the variance of one step forwards; beta-tilde is smaller. The noise has its root")
def test_noise_of_the_step_has_the_variance_that_was_asked_for(ps, rng):
    """The noise is scaled by the root of beta, also by default, or by that of the posterior's variance."""
    for shape, T in SHAPES:
        xt, t, eps, noise, alpha_bar = trial(ps, rng, shape, T)
        for var in VARIANCES:
            want = steps(xt, t, eps, noise, alpha_bar, var)
            hint = closed_forms.along_the_width(shape) or f'the variance for var="{var}"'
            expect_close(ps.ddpm_step(xt, t, eps, noise, alpha_bar, var), want, hint)
        expect_close(ps.ddpm_step(xt, t, eps, noise, alpha_bar), steps(xt, t, eps, noise, alpha_bar))
        single = ps.ddpm_step(xt.float(), t, eps.float(), noise.float(), alpha_bar)
        expect_equal(str(getattr(single, "dtype", None)), "torch.float32", "float32 stays float32")
        want = torch.from_numpy(steps(xt, t, eps, noise, alpha_bar)).float()
        expect_close(single, want, rtol=1e-3, atol=1e-4)
    xt, _, eps, noise, _ = trial(ps, rng, (9, 2), 9)
    alpha_bar, t = closed_forms.extreme_alpha_bar(9), torch.from_numpy(rng.permutation(9))
    for var in VARIANCES:
        want = steps(xt, t, eps, noise, alpha_bar, var)
        expect_close(ps.ddpm_step(xt, t, eps, noise, alpha_bar, var), want, "the variances of real schedules are small")


@points(1, part="4a", hint="at t = 0 the step leads to clean data: the guess itself, whatever var says")
def test_last_step_adds_no_noise(ps, rng):
    """At t = 0 the result is the guess, without noise, also next to examples at other times."""
    for shape in ((3, 2), (1, 4), (3, 1, 4, 3)):
        xt, _, eps, noise, alpha_bar = trial(ps, rng, shape, 4)
        now = float(alpha_bar[0])
        guess = (xt.numpy() - math.sqrt(1 - now) * eps.numpy()) / math.sqrt(now)
        for var in VARIANCES:
            t = torch.zeros(shape[0], dtype=torch.long)
            expect_close(ps.ddpm_step(xt, t, eps, noise, alpha_bar, var), guess)
            t[-1] = 2
            expect_close(ps.ddpm_step(xt, t, eps, noise, alpha_bar, var), steps(xt, t, eps, noise, alpha_bar, var))


@points(1, part="4a", hint="clip the guess of x_0, and only that, before it enters the mean")
def test_clipping_restricts_the_guess_and_nothing_else(ps, rng):
    """With clip, the guess is restricted to [-1, 1] before the step; without it, nothing is."""
    for shape, T in SHAPES:
        xt, t, eps, noise, alpha_bar = trial(ps, rng, shape, T)
        for var in VARIANCES:
            for clip in (True, False):
                want = steps(3 * xt, t, eps, 2 * noise, alpha_bar, var, clip)
                expect_close(ps.ddpm_step(3 * xt, t, eps, 2 * noise, alpha_bar, var=var, clip=clip), want)


@points(
    1, part="4a", hint="with the exact noise of N(0, I) data and variance beta, the variance must stay 1 until t = 0"
)
def test_standard_normal_data_keeps_its_variance(ps, rng):
    """With N(0, I) data, its exact noise and var beta, steps keep variance 1; the last ends at 1 - beta_0."""
    provide(ps)
    T = int(rng.integers(4, 9))
    alpha_bar = closed_forms.draw_alpha_bar(rng, T)
    for s in range(T):
        t, xt = torch.tensor([s, s]), torch.tensor([[1.0], [0.0]], dtype=torch.float64)
        eps = math.sqrt(1 - float(alpha_bar[s])) * xt
        noise = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
        got = ps.ddpm_step(xt, t, eps, noise, alpha_bar, "beta")  # how much of x_t stays; how much noise is added
        expect_shape(got, 2, 1)
        want = float(alpha_bar[0]) if s == 0 else 1.0
        expect_close(got.square().sum(), want)


def run_loop(ps, rng, shape, T, *, own_noises, **how):
    """What the student's loop did with a model that is linear and ignores the time, and what it should have given.

    With own_noises the noises differ between times; without, their order does not matter.
    """
    provide(ps, "ddpm_step")
    alpha_bar = closed_forms.draw_alpha_bar(rng, T)
    slopes, offsets = (each.expand(T).clone() for each in (0.5 + 0.4 * normal(rng, 1), normal(rng, 1)))
    xT, noises = normal(rng, *shape), normal(rng, T, *shape)
    noises = noises if own_noises else noises[:1].expand(T, *shape).clone()
    x = xT.numpy()
    for s in reversed(range(T)):
        eps = float(slopes[s]) * x + float(offsets[s])
        x = step(x, s, eps, noises[s].numpy(), alpha_bar, how.get("var", "beta"), how.get("clip", False))
    return ps.run(probe_loop, slopes, offsets, xT, noises, alpha_bar, how), x, xT


@points(1, part="4b", hint="from t = T - 1 down to 0, with noises[t] and alpha_bar at the same t")
def test_loop_runs_downwards_with_the_noise_of_each_time(ps, rng):
    """The result is that of T steps from T - 1 down to 0, each with the noise of its time."""
    for shape, T in (*SHAPES, ((2, 3), 1), ((6, 2), 6)):
        got, want, _ = run_loop(ps, rng, shape, T, own_noises=True)
        expect_close(got[0], want)


@points(1, part="4b", hint="pass var and clip on to every step")
def test_loop_passes_variance_and_clipping_on(ps, rng):
    """With var and clip, every step of the loop follows them."""
    for how in ({"var": "posterior"}, {"clip": True}, {"var": "posterior", "clip": True}, {"var": "beta"}):
        got, want, _ = run_loop(ps, rng, (3, 1, 2, 2), 5, own_noises=False, **how)
        expect_close(got[0], want)


@points(1, part="4b", hint="one call per step, with int64 times (B,), under no_grad, and without changing xT")
def test_model_is_asked_once_per_step_without_a_graph(ps, rng):
    """The model is called T times, with times (B,) from T - 1 to 0; no graph remains, xT is untouched."""
    for shape, T in (((3, 2), 4), ((1, 1, 3, 2), 3)):
        (_, told, graph, after), _, xT = run_loop(ps, rng, shape, T, own_noises=False)
        expect_true(len(told) == T, "one evaluation of the model per step")
        for s, t in zip(reversed(range(T)), told, strict=True):
            expect_close(t, torch.full((shape[0],), s), "times are int64, one per example, and fall from T - 1 to 0")
        expect_true(not graph, "sampling needs no graph, in no step: it would keep the activations of all evaluations")
        expect_close(after, xT, "xT must not be changed in place")
