"""Question 5: DDIM. Oracles: arcs from data to noise, precisions that add, and slow loops in NumPy."""

import math

import numpy as np
import torch

from autograder.hidden.ps3_diffusion_flow import closed_forms, known_good
from autograder.testing import expect_close, expect_equal, expect_shape, expect_true, non_contiguous, normal, points

SHAPES = (((5, 2), 7), ((4, 1, 3, 4), 6), ((3, 2, 3, 3), 5), ((1, 4), 4))
GRIDS = ((10, 3), (200, 50), (7, 7), (50, 1), (100, 30), (9, 2), (1, 1), (11, 10))


def probe_invert(ns, slopes, offsets, x0, alpha_bar, timesteps):
    """The noise found with the model slopes[t] * x + offsets[t], the times it was told, a graph or not, and x0."""
    import torch

    told, graphs = [], []

    def model(x, t):
        told.append(t)
        graphs.append(x.requires_grad)
        weight = slopes.clone().requires_grad_()
        shape = (-1, *[1] * (x.ndim - 1))
        return (weight[t].reshape(shape) * x + offsets[t].reshape(shape)).to(x.dtype)

    x = ns.ddim_invert(model, x0, alpha_bar, timesteps)
    graph = any(graphs) or bool(getattr(x, "requires_grad", False))
    return [x.detach() if isinstance(x, torch.Tensor) else x, told, graph, x0]


def provide(ps, *more):
    """Known-good versions of what a step is made of."""
    names = ("alpha_bar_at", "q_sample", "q_posterior", "x0_from_eps", "eps_from_x0", "ddpm_step")
    ps.provide(**{name: getattr(known_good, name) for name in (*names, *more)})


def shares(alpha_bar, times):
    """alpha_bar at these times, 1 at time -1, in NumPy."""
    return np.array([1.0 if s == -1 else float(alpha_bar[s]) for s in times.tolist()])


def on_arc(x0, noise, share):
    """The jump to where this share of the variance is left."""
    share = closed_forms.per_example(share, x0)
    return torch.from_numpy(np.sqrt(share) * x0.numpy() + np.sqrt(1 - share) * noise.numpy())


def trial(ps, rng, shape, T):
    """Clean examples, their noise, times t from 1 on, and a schedule."""
    provide(ps)
    order = [T - 1, *(1 + rng.permutation(T - 2)).tolist()]
    t = torch.tensor((order * shape[0])[: shape[0]])
    return normal(rng, *shape), normal(rng, *shape), t, closed_forms.draw_alpha_bar(rng, T)


@points(1, part="5a", hint="whole numbers, strictly falling, and the first is T - 1: there x is pure noise")
def test_times_fall_strictly_from_the_last_one(ps, rng):
    """S different int64 times fall from T - 1, and all of them lie in 0..T-1."""
    for T, S in (*GRIDS, (int(rng.integers(60, 90)), int(rng.integers(4, 40)))):
        times = ps.ddim_timesteps(T, S)
        expect_shape(times, S)
        expect_equal(str(times.dtype), "torch.int64", "times are indices: int64")
        expect_equal(int(times[0]), T - 1, "sampling starts from pure noise, which is at time T - 1")
        expect_true(bool((times.diff() < 0).all()), "strictly descending: sampling goes from noise to data")
        expect_true(int(times[-1]) >= 0, "-1 is where the last step leads, it is no time of the model")


@points(1, part="5a", hint="spread the S times over all of 0..T-1, with gaps that are equal up to rounding")
def test_times_are_spread_evenly(ps, rng):
    """Gaps are equal up to rounding, the last time is below T / S, and with S = T no time is left out."""
    for T, S in (*GRIDS, (1000, 20), (int(rng.integers(60, 90)), int(rng.integers(4, 40)))):
        times = ps.ddim_timesteps(T, S)
        expect_shape(times, S)
        expect_true(int(times[-1]) < T / S, "the last step must not be longer than the others")
        if S > 1:
            gaps = -times.diff()
            expect_true(int(gaps.max()) - int(gaps.min()) <= 2, "gaps between neighbours are equal up to rounding")
        if S == T:
            expect_equal(times.tolist(), list(range(T))[::-1], "with S = T, every time is visited")


@points(1, part="5b", hint="keep the noise and the guess, change the time: the step moves along their arc")
def test_deterministic_step_stays_on_the_arc(ps, rng):
    """With the true noise a step of any length lands on the jump with the same noise, at its own time."""
    for shape, T in SHAPES:
        x0, noise, t, alpha_bar = trial(ps, rng, shape, T)
        for t_prev in (t - 1, torch.zeros_like(t), torch.from_numpy(rng.integers(0, t.numpy()))):
            xt, want = on_arc(x0, noise, shares(alpha_bar, t)), on_arc(x0, noise, shares(alpha_bar, t_prev))
            got = ps.ddim_step(non_contiguous(xt), t, t_prev, non_contiguous(noise), alpha_bar)
            expect_close(got, want, closed_forms.along_the_width(shape))
            unused = 5 * normal(rng, *shape)
            got = ps.ddim_step(xt, t, t_prev, noise, alpha_bar, 0.0, unused)
            expect_close(got, want, "with eta = 0 there is no chance in the step, whatever noise is given")
        single = ps.ddim_step(xt.float(), t, t_prev, noise.float(), alpha_bar)
        expect_equal(str(getattr(single, "dtype", None)), "torch.float32", "float32 stays float32")
        expect_close(single, want.float(), rtol=1e-3, atol=1e-4)
    x0, noise, t, _ = trial(ps, rng, (8, 2), 9)
    alpha_bar = closed_forms.extreme_alpha_bar(9)
    xt, want = on_arc(x0, noise, shares(alpha_bar, t)), on_arc(x0, noise, shares(alpha_bar, t - 1))
    expect_close(ps.ddim_step(xt, t, t - 1, noise, alpha_bar), want, "nothing but the formula, without guards or clips")


@points(
    1, part="5b", hint="at time -1 alpha_bar is 1, neither its first nor its last entry: the end is the guess itself"
)
def test_last_step_returns_the_guess_exactly(ps, rng):
    """With t_prev = -1 the result is exactly the guess of x_0, for every eta, whatever other examples do."""
    for shape, T in SHAPES:
        x0, noise, t, alpha_bar = trial(ps, rng, shape, T)
        clean = torch.full_like(t, -1)
        for times in (t, torch.zeros_like(t)):
            xt, fresh = on_arc(x0, noise, shares(alpha_bar, times)), normal(rng, *shape)
            expect_close(ps.ddim_step(xt, times, clean, noise, alpha_bar), x0)
            for eta in (0.4, 1.0):
                expect_close(ps.ddim_step(xt, times, clean, noise, alpha_bar, eta, fresh), x0)
        mixed = clean.clone()
        mixed[-1] = 0
        want = on_arc(x0, noise, shares(alpha_bar, mixed))
        expect_close(ps.ddim_step(on_arc(x0, noise, shares(alpha_bar, t)), t, mixed, noise, alpha_bar), want)


@points(1, part="5b", hint="eta scales sigma; what the fresh noise brings in, the predicted noise has to give up")
def test_fresh_noise_takes_its_share_from_the_predicted_noise(ps, rng):
    """For eta up to 1, fresh noise has scale sigma and the predicted one keeps the rest of the variance."""
    for shape, T in SHAPES:
        x0, noise, t, alpha_bar = trial(ps, rng, shape, T)
        fresh, now = normal(rng, *shape), shares(alpha_bar, t)
        for eta, t_prev in ((0.3, t - 1), (0.8, torch.zeros_like(t)), (1.0, torch.div(t, 2, rounding_mode="floor"))):
            then = shares(alpha_bar, t_prev)
            sigma = eta * np.sqrt((1 - then) / (1 - now)) * np.sqrt(1 - now / then)
            scales = [closed_forms.per_example(each, x0) for each in (then, 1 - then - sigma**2, sigma**2)]
            parts = zip(scales, (x0, noise, fresh), strict=True)
            want = sum(np.sqrt(scale) * part.numpy() for scale, part in parts)
            got = ps.ddim_step(on_arc(x0, noise, now), t, t_prev, noise, alpha_bar, eta, fresh)
            expect_close(got, want)


@points(1, part="5b", hint="eta = 1 between neighbours is the posterior of question 2; and eta = 0 works upwards, too")
def test_step_contains_the_ancestral_one_and_the_way_up(ps, rng):
    """With eta = 1, t_prev = t - 1 it is the posterior's step; with eta = 0 it leads upwards, even from -1."""
    for shape, T in SHAPES:
        x0, noise, t, alpha_bar = trial(ps, rng, shape, T)
        now, before, fresh = shares(alpha_bar, t), shares(alpha_bar, t - 1), normal(rng, *shape)
        xt = on_arc(x0, noise, now)
        of_step, of_jump = now / (before - now), 1 / (1 - before)
        variance = closed_forms.per_example(1 / (of_step + of_jump), x0)
        pulls = [closed_forms.per_example(each, x0) for each in (of_step * np.sqrt(before / now), np.sqrt(before))]
        jump = closed_forms.per_example(of_jump, x0)
        mean = variance * (pulls[0] * xt.numpy() + jump * pulls[1] * x0.numpy())
        got = ps.ddim_step(xt, t, t - 1, noise, alpha_bar, 1.0, fresh)
        expect_close(got, mean + np.sqrt(variance) * fresh.numpy(), "eta = 1 between neighbours is the ancestral step")
        for start in (torch.full_like(t, -1), t - 1):
            got = ps.ddim_step(on_arc(x0, noise, shares(alpha_bar, start)), start, t, noise, alpha_bar)
            expect_close(got, xt, "with eta = 0 the same arc leads upwards; from time -1, x is its own guess")


def ddim(x, now, then, eps):
    """A deterministic step in NumPy between two shares."""
    return math.sqrt(then) * (x - math.sqrt(1 - now) * eps) / math.sqrt(now) + math.sqrt(1 - then) * eps


def upwards(rng, shape, T, S):
    """A model that is linear at each time, clean examples, a schedule and times that fall."""
    alpha_bar = closed_forms.draw_alpha_bar(rng, T)
    inner = np.sort(rng.permutation(T - 1)[: S - 1])[::-1]
    return 0.5 * normal(rng, T), normal(rng, T), normal(rng, *shape), alpha_bar, torch.tensor([T - 1, *inner.tolist()])


@points(1, part="5c", hint="upwards from time -1; the model is asked where you are, with the time to which you go")
def test_inversion_walks_upwards_and_asks_with_the_time_it_goes_to(ps, rng):
    """Steps lead from time -1 up through all timesteps; the model gets the current x and the next time."""
    for shape, T, S in (((3, 2), 7, 4), ((4, 1, 2, 4), 6, 6), ((1, 3), 5, 1)):
        provide(ps, "ddim_step")
        slopes, offsets, x0, alpha_bar, times = upwards(rng, shape, T, S)
        x, now = x0.numpy(), 1.0
        for s in reversed(times.tolist()):
            then = float(alpha_bar[s])
            x, now = ddim(x, now, then, float(slopes[s]) * x + float(offsets[s])), then
        got, told, graph, after = ps.run(probe_invert, slopes, offsets, x0, alpha_bar, times)
        expect_close(got, x)
        expect_true(len(told) == S, "one evaluation of the model per step")
        for s, t in zip(reversed(times.tolist()), told, strict=True):
            expect_close(t, torch.full((shape[0],), s), "the model is told the time to which the step leads, (B,)")
        expect_true(not graph, "no graph is needed, in no step")
        expect_close(after, x0, "x0 must not be changed in place")


@points(1, part="5c", hint="whoever inverts and then samples over the same times must come back to where they started")
def test_sampling_leads_back_from_the_noise_that_was_found(ps, rng):
    """With a model that answers by the time alone, the steps down from the noise found lead back exactly."""
    for shape, T, S in (((3, 2), 8, 5), ((2, 1, 3, 2), 5, 2), ((1, 2), 4, 4)):
        provide(ps, "ddim_step")
        _, offsets, x0, alpha_bar, times = upwards(rng, shape, T, S)
        for dtype in (torch.float64, torch.float32):
            found = ps.run(probe_invert, torch.zeros(T).double(), offsets, x0.to(dtype), alpha_bar, times)[0]
            expect_shape(found, *shape)
            x, falling = found.double().numpy(), times.tolist()
            for s, end in zip(falling, [*falling[1:], -1], strict=True):
                x = ddim(x, float(alpha_bar[s]), 1.0 if end == -1 else float(alpha_bar[end]), float(offsets[s]))
            loose = {"rtol": 1e-2, "atol": 1e-3} if dtype == torch.float32 else {}
            expect_close(torch.from_numpy(x), x0, **loose)
