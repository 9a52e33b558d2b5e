"""Question x2. Oracles: fields of known flows, Taylor polynomials, straight flows, best matchings by brute force.

The handed-in student is judged as the networks of question 9 are; the README of the reference artifacts says how its
thresholds were chosen.
"""

import itertools
import math

import numpy as np
import torch

from autograder.hidden.ps3_diffusion_flow.flow_fields import good_ode_solve
from autograder.hidden.ps3_diffusion_flow.judged import agreement, distance, samples
from autograder.testing import expect_close, expect_shape, expect_true, non_contiguous, normal, points, uniform

FEW = "ps3_few.safetensors"
AGREE_HALF, AGREE_FULL = 0.75, 0.90  # share of one-step samples in which the reader sees the label
FAR = 2.5  # Frechet distance of one-step samples to hidden digits; 100 real ones have 0.4 to 1


def straight_field(mean, scale):
    """The field whose trajectories are the lines from x0 to mean + scale x0."""

    def v(x, t):
        s = t.reshape(-1, *[1] * (x.ndim - 1))
        return mean + (scale - 1) * (x - s * mean) / (1 - s + s * scale)

    return v


def probe_straight(ns, mean, scale, x0, n, method):
    """Straightness of a field of straight lines."""
    return ns.straightness(ns.straight_field(mean, scale), x0, n, method)


@points(0.5, "x2a", hint="compare the velocity on the way with the whole way, end minus beginning")
def test_straight_flows_have_straightness_zero(ps, rng):
    """Where trajectories are straight lines at constant speed, the measure is 0, however many steps are made."""
    ps.provide(ode_solve=good_ode_solve, straight_field=straight_field)
    for shape, n, method in (((4, 2), 5, "euler"), ((3, 1, 2, 3), 1, "heun"), ((1, 3), 4, "rk4")):
        mean, scale = normal(rng, *shape[1:]), 0.5 + uniform(rng, *shape[1:])
        got = ps.run(probe_straight, mean, scale, non_contiguous(normal(rng, *shape)), n, method)
        expect_close(got, torch.zeros(shape[0], dtype=torch.float64), atol=1e-12)
        curved = ps.run(probe_curved, mean.flatten()[:1], normal(rng, *shape), 3, method)
        expect_shape(curved, shape[0])
        expect_true(bool((curved > 1e-4).all()), "where the velocity changes, the measure is positive")


def probe_curved(ns, rate, x0, n, method):
    """Straightness of dx/dt = (1 + |rate|) x, with the states of the solver."""
    return ns.straightness(lambda x, t: (1 + rate.abs()) * x, x0, n, method)


def probe_clock(ns, coefficients, slope, x0, n, method):
    """Straightness of dx/dt = slope x + a polynomial of the time."""

    def v(x, t):
        total = sum(c * t**j for j, c in enumerate(coefficients))
        return slope * x + total.reshape(-1, *[1] * (x.ndim - 1))

    return ns.straightness(v, x0, n, method)


@points(
    0.5, "x2a", hint="velocities at the beginning of each of the n steps, mean over steps and features, per example"
)
def test_straightness_is_the_mean_square_along_the_way(ps, rng):
    """For growth with a clock, the measure is that of Euler's states, step by step, in NumPy."""
    ps.provide(ode_solve=good_ode_solve)
    for shape, n in (((4, 2), 3), ((2, 1, 3, 2), 5), ((1, 3), 1)):
        c, slope, x0 = rng.normal(size=3).tolist(), float(rng.uniform(0.5, 1.5)), normal(rng, *shape)
        f = np.polynomial.Polynomial(c)
        states, speeds = [x0.numpy()], []
        for i in range(n):
            speeds.append(slope * states[-1] + f(i / n))
            states.append(states[-1] + speeds[-1] / n)
        want = np.mean([((u - (states[-1] - states[0])) ** 2).reshape(shape[0], -1).mean(1) for u in speeds], axis=0)
        expect_close(ps.run(probe_clock, c, slope, x0, n, "euler"), want, atol=1e-12)
        by_heun = ps.run(probe_clock, [0.0], slope, x0, n, "heun")
        h = slope / n
        growth = 1 + h + h**2 / 2
        way = (growth**n - 1) * x0.flatten(1).numpy()
        want = np.mean([((slope * growth**i * x0.flatten(1).numpy() - way) ** 2).mean(1) for i in range(n)], axis=0)
        expect_close(by_heun, want, "the trajectory is that of the given method", atol=1e-12)


def probe_two(ns, rate, coefficients, x, t, h):
    """two_in_one of dx/dt = rate x + polynomial of t; whether a graph is left."""
    rate = rate.clone().requires_grad_()

    def v(x, t):
        total = sum(c * t**j for j, c in enumerate(coefficients))
        return rate * x + total.reshape(-1, *[1] * (x.ndim - 1))

    got = ns.two_in_one(v, x, t, h)
    return got.detach(), got.requires_grad


@points(0.5, "x2b", hint="the second half step starts where and when the first one ended; both together, over h")
def test_two_half_steps_become_one(ps, rng):
    """One step with the returned velocity ends where two half steps of Euler end, at each example's own time."""
    for shape, h in (((4, 2), 0.5), ((3, 1, 2, 3), 0.125), ((2, 2), 1.0), ((1, 3), 0.3)):
        rate, c = torch.tensor(rng.uniform(0.5, 1.5)), rng.normal(size=4).tolist()
        x, t = normal(rng, *shape), (1 - h) * uniform(rng, shape[0])
        want = []
        f = np.polynomial.Polynomial(c)
        for point, s in zip(x.numpy(), t.tolist(), strict=True):
            half = point + h / 2 * (float(rate) * point + f(s))
            end = half + h / 2 * (float(rate) * half + f(s + h / 2))
            want.append((end - point) / h)
        got, _ = ps.run(probe_two, rate, c, non_contiguous(x), t, h)
        expect_close(got, np.stack(want))


@points(0.5, "x2b", hint="the teacher's steps are data for the student: no graph, and a velocity, not a place")
def test_target_is_a_velocity_without_a_graph(ps, rng):
    """For straight trajectories the target is the velocity itself, for growth (1 + ch/4) times it; it has no graph."""
    ps.provide(straight_field=straight_field)
    for shape, h in (((3, 2), 0.5), ((2, 1, 2, 2), 0.25)):
        x0, mean, scale = normal(rng, *shape), normal(rng, *shape[1:]), 0.5 + uniform(rng, *shape[1:])
        t = (1 - h) * uniform(rng, shape[0])
        s = t.reshape(-1, *[1] * (len(shape) - 1))
        x1 = mean + scale * x0
        got = ps.run(probe_two_straight, mean, scale, (1 - s) * x0 + s * x1, t, h)
        expect_close(got, x1 - x0, "on a straight line one step of any length has the line's velocity")
        rate = torch.tensor(rng.uniform(0.5, 1.5))
        got, graph = ps.run(probe_two, rate, [0.0], x0, t, h)
        expect_close(got, rate * (1 + rate * h / 4) * x0)
        expect_true(not graph, "the target is data: it carries no graph")


def probe_two_straight(ns, mean, scale, x, t, h):
    """two_in_one on straight lines."""
    return ns.two_in_one(ns.straight_field(mean, scale), x, t, h)


def good_to_end(net, x, t):
    return x + (1 - t).reshape(-1, *[1] * (x.ndim - 1)) * net(x, t)


def probe_to_end(ns, W, x, t):
    """to_end of a wavy network, and its gradient in the weights."""
    W = W.clone().requires_grad_()
    got = ns.to_end(lambda x, t: torch.tanh(x.flatten(1) @ W.mT + t[:, None]).reshape(x.shape), x, t)
    return got.detach(), torch.autograd.grad(got.sum(), W)[0] if got.requires_grad else None


@points(1, "x2c", hint="x plus what is left of the time, times the network; at t = 1 nothing is left, whatever it says")
def test_ends_are_fixed_points_and_the_rest_is_scaled(ps, rng):
    """At t = 1 the function returns x for any network, and before that x + (1 - t) F, each example at its own time."""
    for shape in ((4, 4), (3, 1, 2, 3), (1, 2)):
        D = math.prod(shape[1:])
        W, x, t = normal(rng, D, D), normal(rng, *shape), uniform(rng, shape[0])
        t[0] = 1.0
        want, slope = [], np.zeros((D, D))
        for point, s in zip(x.flatten(1).numpy(), t.tolist(), strict=True):
            wave = np.tanh(W.numpy() @ point + s)
            want.append(point + (1 - s) * wave)
            slope += np.outer((1 - s) * (1 - wave**2), point)
        got, grad = ps.run(probe_to_end, W, non_contiguous(x), t)
        expect_close(got, np.stack(want).reshape(shape))
        expect_true(grad is not None, "the network learns through this function: no detach, no no_grad")
        expect_close(grad, slope, "the network learns through this function")


def probe_consistency(ns, a, b, c, x, t, h):
    """The loss of a student a x + a t, target b x + b t and teacher c x + c t, and its gradients in a, b, c."""
    a, b, c = (each.clone().requires_grad_() for each in (a, b, c))

    def line(factor):
        return lambda x, t: factor * (x + t.reshape(-1, *[1] * (x.ndim - 1)))

    loss = ns.consistency_loss(line(a), line(b), line(c), x, t, h)
    grads = torch.autograd.grad(loss.sum(), (a, b, c), allow_unused=True) if loss.requires_grad else (None, None, None)
    return loss.detach(), list(grads)


@points(
    1, "x2c", hint="the student at (x, t), the slow copy after a step of the teacher, held constant, never beyond t = 1"
)
def test_consistency_compares_with_a_step_further_on(ps, rng):
    """The loss and its gradient are those of a loop; the step is cut at t = 1; only the student learns."""
    ps.provide(to_end=good_to_end)
    for shape, h in (((4, 2), 0.2), ((3, 1, 2, 3), 0.5), ((1, 3), 0.05)):
        a, b, c = (torch.tensor(float(rng.uniform(0.3, 1.5))).double() for _ in range(3))
        x, t = normal(rng, *shape), uniform(rng, shape[0]) * (1 - h)
        t[-1] = 1 - h / 3
        want, slope = [], 0.0
        for point, s in zip(x.flatten(1).numpy(), t.tolist(), strict=True):
            step = min(h, 1 - s)
            further = point + step * float(c) * (point + s)
            goal = further + (1 - s - step) * float(b) * (further + s + step)
            error = point + (1 - s) * float(a) * (point + s) - goal
            want.append(np.mean(error**2))
            slope += np.mean(2 * error * (1 - s) * (point + s))
        loss, grads = ps.run(probe_consistency, a, b, c, non_contiguous(x), t, h)
        expect_close(loss, np.array(want))
        expect_true(grads[0] is not None, "the student learns by this loss: hold only the goal constant")
        expect_close(grads[0], slope, "the gradient goes to the student, through to_end")
        still = all(grad is None or float(grad.abs()) == 0 for grad in grads[1:])
        expect_true(still, "the goal is held constant: target and teacher get no gradient")


def matched(x, y):
    """The least mean square over all matchings of two short lists."""
    return min(np.mean((x - y[list(order)]) ** 2) for order in itertools.permutations(range(len(y))))


@points(0.5, "x2d", hint="along each direction sort both clouds by themselves, then compare rank by rank")
def test_order_is_kept_along_every_direction(ps, rng):
    """The squared distance is the mean over directions of the best matching's cost, found by trying all matchings."""
    for n, D, M in ((5, 2, 3), (4, 3, 1), (1, 2, 2), (3, 4, 5)):
        x, y, directions = 2 * normal(rng, n, D), normal(rng, n, D), normal(rng, M, D)
        directions = directions / directions.norm(dim=1, keepdim=True)
        each = [matched(x.numpy() @ d, y.numpy() @ d) for d in directions.numpy()]
        expect_close(ps.sliced_distance(non_contiguous(x), y, directions), math.sqrt(np.mean(each)))


@points(0.5, "x2d", hint="a distance: 0 for the same cloud in any order, and the length of a shift for a moved one")
def test_shifted_clouds_are_as_far_as_the_shift(ps, rng):
    """A cloud in another order is at distance 0; a moved one at the root mean square of the shift's projections."""
    for n, D, M in ((40, 2, 7), (9, 5, 3)):
        x, shift, directions = 3 * normal(rng, n, D), normal(rng, D), normal(rng, M, D)
        directions = directions / directions.norm(dim=1, keepdim=True)
        order = torch.from_numpy(rng.permutation(n))
        expect_close(ps.sliced_distance(x, x[order], directions), 0.0, atol=1e-7)
        want = (directions @ shift).square().mean().sqrt()
        expect_close(ps.sliced_distance(x, (x + shift)[order], directions), float(want))
        single = ps.sliced_distance(x.float(), (x + shift)[order].float(), directions.float())
        expect_close(single, float(want), rtol=1e-4)


def single_step(net, noise, y):
    """Digits by one step of Euler's method from t = 0, without guidance."""
    return noise + net(noise, torch.zeros(len(noise)), y)


@points(1, "x2e", hint="one step from t = 0 with the label and no guidance: is the student's first velocity trained?")
def test_one_step_draws_what_is_asked(ps, rng):
    """In 75 % of the digits that one evaluation of your network draws, a reader of digits sees the label."""
    images = samples(ps.artifact(FEW), rng, single_step, anew=True)
    expect_true(agreement(images) >= AGREE_HALF, "too few one-step samples show the digit that was asked for")


@points(1, "x2e", hint="half of the full training gets there")
def test_one_step_nearly_always_draws_what_is_asked(ps, rng):
    """In 90 % of the digits that one evaluation of your network draws, a reader of digits sees the label."""
    images = samples(ps.artifact(FEW), rng, single_step)
    expect_true(agreement(images) >= AGREE_FULL, "most one-step samples show what was asked for, but not enough")


@points(1, "x2e", hint="one-step samples are sharp and vary: a blur, or one picture for each label, is far from digits")
def test_one_step_draws_like_the_data(ps, rng):
    """What a reader of digits sees in your one-step samples has about the mean and covariance of real digits."""
    far = distance(samples(ps.artifact(FEW), rng, single_step))
    ps.measure("one step: Frechet distance", far, best="lowest")
    expect_true(far <= FAR, "the one-step samples differ too much from real digits, in what they show or how they vary")
