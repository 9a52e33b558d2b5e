"""Question 8. Oracles: index by index loops, Gauss-Hermite sums, quadrature rules, Taylor polynomials, normal flows.

What a solver returns is known without one: for v = f(t) a step is a quadrature rule, for v = c x a Taylor polynomial.
"""

import math

import numpy as np
import torch
from scipy import stats

from autograder.hidden.ps3_diffusion_flow import density_probes
from autograder.hidden.ps3_diffusion_flow.closed_forms import Data, along, jacobians, rule
from autograder.hidden.ps3_diffusion_flow.flow_fields import (
    good_divergence,
    good_fm_pair,
    good_ode_solve,
    law_of,
    mixture_field,
    waves_field,
)
from autograder.testing import (
    expect_close,
    expect_shape,
    expect_tensor,
    expect_true,
    non_contiguous,
    normal,
    points,
    uniform,
)

RESHAPE = "the time belongs to the example: give t (B,) as many trailing dimensions of size one as x has features"
PAIR = "two tensors: the point on the path and its velocity"


def two(got, sentence):
    """The two results of a function, or a sentence."""
    expect_true(isinstance(got, (tuple, list)) and len(got) == 2, sentence)
    return got


def on_the_path(x0, x1, t):
    """Points and velocities, one example at a time."""
    xt = torch.stack([(1 - s) * a + s * b for a, b, s in zip(x0, x1, t.tolist(), strict=True)])
    return xt, torch.stack([b - a for a, b in zip(x0, x1, strict=True)])


@points(1, part="8a", hint="at t = 0 all noise, x0; at t = 1 all data, x1; the velocity is how x_t changes as t grows")
def test_path_runs_from_noise_to_data(ps, rng):
    """The path starts at the noise and ends at the data, and its velocity is its derivative in time."""
    for B, D in ((5, 3), (1, 2), (3, 7)):
        x0, x1, t = normal(rng, B, D), normal(rng, B, D), uniform(rng, B)
        for moment, end in ((torch.zeros(B).double(), x0), (torch.ones(B).double(), x1)):
            xt, u = two(ps.fm_pair(x0, x1, moment), PAIR)
            expect_close(xt, end, "time runs from noise, t = 0, to data, t = 1")
            expect_close(u, x1 - x0, "the velocity is the same all along the line, at both of its ends too")
        want, speed = on_the_path(x0, x1, t)
        xt, u = two(ps.fm_pair(non_contiguous(x0), x1, t), PAIR)
        expect_close(xt, want)
        expect_close(u, speed, "the velocity is the derivative of x_t with respect to t")


@points(1, part="8a", hint=RESHAPE)
def test_each_example_has_its_own_time(ps, rng):
    """Every example is mixed at its own time, for vectors and images, also if B equals the width."""
    for shape in ((4, 4), (5, 1, 3, 5), (3, 2, 3, 4), (2, 3, 2, 2), (1, 1, 2, 3)):
        x0, x1 = normal(rng, *shape), normal(rng, *shape)
        t = torch.from_numpy(rng.permutation(shape[0]) + 0.5) / (shape[0] + 1)
        want, speed = on_the_path(x0, x1, t)
        xt, u = two(ps.fm_pair(x0, x1, t), PAIR)
        expect_close(xt, want)
        expect_close(u, speed, "the velocity is the derivative of x_t with respect to t")
        single = two(ps.fm_pair(x0.float(), x1.float(), t.float()), PAIR)
        expect_close(single[0], want.float())


def probe_loss(ns, W, b, c, x0, x1, t):
    """The loss per example, and its sum's gradient in the field's shift c."""
    c = c.clone().requires_grad_()
    loss = ns.cfm_loss(ns.waves_field(W, b, c), x0, x1, t)
    grad = torch.autograd.grad(loss.sum(), c)[0] if loss.requires_grad else None
    return loss.detach(), grad


@points(1, part="8a", hint="compare v at the point on the path, at its own time, with x1 - x0; mean over the features")
def test_loss_is_the_mean_squared_error_of_the_velocity(ps, rng):
    """Each example's loss is the mean over its features of the squared error; its gradient reaches v."""
    ps.provide(fm_pair=good_fm_pair, waves_field=waves_field)
    for shape in ((5, 3), (4, 1, 2, 4), (1, 2, 3, 2)):
        D = math.prod(shape[1:])
        W, b, c = normal(rng, D, D), normal(rng, D), normal(rng, D)
        x0, x1, t = normal(rng, *shape), normal(rng, *shape), uniform(rng, shape[0])
        loss, slope = np.zeros(shape[0]), np.zeros(D)
        for i, (start, end) in enumerate(zip(x0.flatten(1).numpy(), x1.flatten(1).numpy(), strict=True)):
            here = start + float(t[i]) * (end - start)
            error = np.tanh(W.numpy() @ here + float(t[i]) * b.numpy()) + c.numpy() - (end - start)
            loss[i], slope = np.mean(error**2), slope + 2 * error / D
        got, grad = ps.run(probe_loss, W, b, c, x0, x1, t)
        expect_close(got, loss)
        expect_true(grad is not None, "the loss must hang on the field's output: no detach, no no_grad")
        expect_close(grad, slope, "the loss is differentiable in the parameters of v")


def probe_mixture_loss(ns, weights, means, covariances, x0, x1, t):
    """The loss per example of the exact velocity."""
    return ns.cfm_loss(ns.mixture_field(weights, means, covariances), x0, x1, t)


@points(1, part="8a", hint="the best field still has a loss: what is left is the spread of x1 - x0 around its mean")
def test_least_loss_is_the_variance_that_the_point_leaves(ps, rng):
    """With the exact field of normal data, the average loss is Var(x1 - x0 | x_t), at each time."""
    ps.provide(fm_pair=good_fm_pair, mixture_field=mixture_field)
    nodes, masses = np.polynomial.hermite_e.hermegauss(5)
    for _ in range(3):
        mean, deviation, moment = rng.normal(), rng.uniform(0.4, 2), rng.uniform(0.1, 0.9)
        x0, x1 = (torch.from_numpy(side.reshape(-1, 1)) for side in np.meshgrid(nodes, mean + deviation * nodes))
        t, one = torch.full((25,), moment, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
        law = (one, one[None] * mean, one[None, None] * deviation**2)
        got = ps.run(probe_mixture_loss, *law, x0, x1, t)
        expect_shape(got, 25)
        cross, spread = moment * deviation**2 - (1 - moment), (1 - moment) ** 2 + (moment * deviation) ** 2
        mass = torch.from_numpy(np.outer(masses, masses).flatten() / masses.sum() ** 2)
        expect_close((mass * got).sum(), 1 + deviation**2 - cross**2 / spread)


def probe_growth(ns, rate, x, n, method, start, end):
    """The states of dx/dt = rate x."""
    return ns.ode_solve(lambda y, t: rate * y, x, n, method, start, end)


METHODS = {"euler": 1, "heun": 2, "rk4": 4}  # the method's order, and its evaluations in a step
STEPS = "n equal steps from start to end, and n + 1 states, the first of which is the given one"


@points(1, part="8b", hint="for dx/dt = c x one step multiplies by the first terms of the exponential series")
def test_steps_are_taylor_polynomials_of_linear_growth(ps, rng):
    """For dx/dt = c x, the n + 1 states are powers of 1 + hc + ..., up to the method's order."""
    for method, order in METHODS.items():
        for shape, n, (start, end) in (((3, 2), 4, (0.0, 1.0)), ((1, 2, 3, 2), 1, (1.0, 0.0)), ((4, 5), 3, (0.25, 1))):
            x, rate = normal(rng, *shape), rng.uniform(0.5, 1.5)
            h = rate * (end - start) / n
            factor = sum(h**power / math.factorial(power) for power in range(order + 1))
            got = ps.run(probe_growth, rate, x, n, method, start, end)
            expect_shape(got, n + 1, *shape)
            expect_close(got[0], x, STEPS)
            expect_close(got, torch.stack([factor**i * x for i in range(n + 1)]))
            expect_close(ps.run(probe_growth, rate, x.float(), n, method, start, end)[-1], (factor**n * x).float())


def probe_clock(ns, coefficients, x, n, method, start, end):
    """The states of dx/dt = sum_j c_j t^j, with the shapes, dtypes and modes of gradients in which it was asked."""
    asked = []

    def v(y, t):
        asked.append([list(t.shape), t.dtype == y.dtype, torch.is_grad_enabled()])
        total = sum(c * t.double() ** j for j, c in enumerate(coefficients))
        return (total.reshape(-1, *[1] * (y.ndim - 1)) * torch.ones_like(y)).to(y.dtype)

    states = ns.ode_solve(v, x, n, method, start, end) if start is not None else ns.ode_solve(v, x, n, method)
    return states, asked


@points(1, part="8b", hint="Euler asks at the beginning of a step, Heun at both ends, RK4 also in the middle, twice")
def test_steps_are_quadrature_rules_of_the_time(ps, rng):
    """For dx/dt = f(t), steps are the left, trapezoidal and Simpson's rule; v gets t as (B,), in x's dtype."""
    for method, evaluations in METHODS.items():
        for shape, n, ends in (((3, 2), 4, (0.0, 1.0)), ((2, 1, 3, 4), 5, (1.0, 0.0)), ((1, 3), 2, (None, None))):
            x, c = normal(rng, *shape), rng.normal(size=6).tolist()
            start, end = (0.0, 1.0) if ends[0] is None else ends
            got, asked = ps.run(probe_clock, c, x, n, method, *ends)
            expect_true(all(same for _, same, _ in asked), "v gets the time in the dtype of x: float64 for float64")
            expect_shape(got, n + 1, *shape)
            want, h = [x], (end - start) / n
            for i in range(n):
                f = np.polynomial.Polynomial(c)
                want.append(want[-1] + float(rule(f, start + i * h, h, method)))
            expect_close(got, torch.stack(want))
            expect_true(len(asked) == n * evaluations, "Euler evaluates v once in a step, Heun twice, RK4 four times")
            expect_true(all(size == [shape[0]] for size, _, _ in asked), "v gets the time as a tensor of shape (B,)")
            expect_true(all(on for _, _, on in asked), "the solver leaves gradients alone: who wants none says no_grad")


def probe_error(ns, weights, means, covariances, x, method, steps):
    """Where the exact field of a normal leads with each number of steps."""
    v = ns.mixture_field(weights, means, covariances)
    return [ns.ode_solve(v, x, n, method)[-1] for n in steps]


@points(1, part="8b", hint="twice as many steps: half the error, a quarter, a sixteenth")
def test_errors_fall_with_the_order_of_the_method(ps, rng):
    """For normal data one Euler step lands on the mean; errors against m + s x0 fall with slopes 1, 2, 4."""
    ps.provide(mixture_field=mixture_field)
    for D in (1, 2):
        # deviations for which the leading term of no method's error is near its zero
        mean, deviation = normal(rng, 1, D), 1.4 + 0.5 * uniform(rng, 1, D)
        law = (torch.ones(1, dtype=torch.float64), mean, torch.diag_embed(deviation**2))
        x0 = normal(rng, 4, D) + 3
        landed = ps.run(probe_error, *law, x0, "euler", [1])
        expect_close(landed[0], mean.expand(4, D), "at t = 0 the best guess of x1 is the mean, whatever x0 is")
        exact = mean + deviation * x0
        for method, order in METHODS.items():
            coarse, fine = ps.run(probe_error, *law, x0, method, [16, 32])
            expect_shape(coarse, 4, D)
            expect_shape(fine, 4, D)
            errors = [float((end - exact).norm()) + 1e-300 for end in (coarse, fine)]
            slope = math.log2(errors[0] / errors[1])
            expect_true(abs(slope - order) < 0.4 and errors[1] < 2, "the slope of the error is the method's order")


def probe_straight(ns, mean, scale, x0, n, method, start, end):
    """Along straight coupled pairs (x0, mean + scale x0) the field is constant on each trajectory."""

    def v(x, t):
        s = t.reshape(-1, *[1] * (x.ndim - 1))
        return mean + (scale - 1) * (x - s * mean) / (1 - s + s * scale)

    return ns.ode_solve(v, x0, n, method, start, end), x0


@points(1, part="8b", hint="start and end are part of the contract: time may run backward, and may stop on the way")
def test_straight_paths_need_one_step_in_both_directions(ps, rng):
    """Where trajectories are straight, one step is exact, from any start to any end, in either direction."""
    for shape in ((4, 2), (2, 1, 3, 2)):
        x0, mean, scale = normal(rng, *shape), normal(rng, *shape[1:]), 0.3 + 2 * uniform(rng, *shape[1:])
        x1 = mean + scale * x0
        for method in METHODS:
            for n, start, end in ((1, 0.0, 1.0), (1, 1.0, 0.0), (3, 0.0, 1.0), (2, 0.2, 0.7), (1, 0.9, 0.4)):
                first = x0 + start * (x1 - x0)
                got, after = ps.run(probe_straight, mean, scale, non_contiguous(first), n, method, start, end)
                expect_close(after, first, "the given x is needed again: write x = x + ..., not x += ...")
                expect_shape(got, n + 1, *shape)
                want = [first + i / n * (end - start) * (x1 - x0) for i in range(n + 1)]
                expect_close(got, torch.stack(want))


@points(
    1, part="8c", hint="v and x_t together tell the mean of x0; the score is minus that mean, over its weight 1 - t"
)
def test_score_is_that_of_the_normal_on_its_way(ps, rng):
    """For normal data, the velocity becomes the gradient of log N(x; t m, (1-t)^2 I + t^2 S)."""
    for B, D in ((4, 3), (1, 2), (5, 1)):
        law = law_of(rng, 1, D)
        x, t = 2 * normal(rng, B, D), 0.95 * uniform(rng, B)
        t[0] = 0
        expect_score(ps, x, t, law)


@points(1, part="8c", hint="each example has its own time; nothing but x, t and v is needed, whatever the data are")
def test_score_holds_for_mixtures_and_images(ps, rng):
    """For mixtures, and for examples of any shape at times of their own, the velocity becomes the score."""
    for B, D in ((6, 2), (3, 3)):
        expect_score(ps, 2 * normal(rng, B, D), 0.95 * uniform(rng, B), law_of(rng, 3, D))
    for shape in ((3, 1, 2, 3), (4, 2, 3, 2), (2, 1, 1, 2)):
        D = math.prod(shape[1:])
        law = law_of(rng, 2, D)
        x, t = normal(rng, *shape), torch.from_numpy(rng.permutation(shape[0]) + 0.3) / (shape[0] + 1)
        expect_score(ps, x, t, law)


def expect_score(ps, x, t, law):
    """The student's score of the exact velocity is the exact score, in both precisions."""
    rows = list(zip(x.flatten(1).numpy(), t.tolist(), strict=True))
    truth = Data(*(part.numpy() for part in law))
    v = torch.from_numpy(np.stack([truth.velocity(*row) for row in rows])).reshape(x.shape)
    want = torch.from_numpy(np.stack([truth.score(each, s, 1 - s) for each, s in rows])).reshape(x.shape)
    expect_close(ps.score_from_velocity(non_contiguous(x), t, v), want)
    expect_close(ps.score_from_velocity(x.float(), t.float(), v.float()), want.float(), rtol=1e-3, atol=1e-3)


def probe_reflow(ns, mean, scale, x0, n, method):
    """The pairs, whether they carry a graph, and how often v was asked; v has a parameter."""
    mean, asked = mean.clone().requires_grad_(), []

    def v(x, t):
        asked.append(1)
        s = t.reshape(-1, *[1] * (x.ndim - 1))
        return mean + (scale**2 * s - (1 - s)) * (x - s * mean) / ((1 - s) ** 2 + (s * scale) ** 2)

    pairs = ns.reflow_pairs(v, x0, n, method)
    return [each.detach() for each in pairs], any(each.requires_grad for each in pairs), len(asked)


@points(
    1, part="8d", hint="a noise and where the flow takes it: the end of its own trajectory, as data without a graph"
)
def test_reflow_couples_each_noise_with_its_own_end(ps, rng):
    """The pairs are the given noise and the end of its trajectory, m + s x0 for normal data; no graph."""
    ps.provide(ode_solve=good_ode_solve)
    for shape, n, method in (((5, 2), 64, "rk4"), ((3, 1, 2, 3), 48, "rk4"), ((1, 4), 1, "euler"), ((2, 3), 5, "heun")):
        x0, mean, scale = normal(rng, *shape), normal(rng, *shape[1:]), 0.5 + uniform(rng, *shape[1:])
        pairs, graph, asked = ps.run(probe_reflow, mean, scale, x0, n, method)
        start, end = two(pairs, "two tensors: the noise and the data that it was coupled with")
        expect_close(start, x0, "the first of the pair is the noise")
        expect_shape(end, *shape)
        if n > 9:
            expect_close(end, mean + scale * x0, rtol=1e-5, atol=1e-5)
        if method == "euler":
            expect_close(end, mean.expand(shape), "the number of steps and the method are passed on")
        expect_true(asked == n * METHODS[method], "the number of steps and the method are passed on")
        expect_true(not graph, "pairs are data for the next training: no gradient flows into the field that made them")


def probe_divergence(ns, W, b, c, x, t, eps):
    """Divergence of a wavy field, inside no_grad as an evaluation would be; and whether x was changed."""
    with torch.no_grad():
        got = (
            ns.divergence(ns.waves_field(W, b, c), x, t)
            if eps is None
            else ns.divergence(ns.waves_field(W, b, c), x, t, eps)
        )
    return got.detach(), x.requires_grad


@points(1, part="8e", hint="the sum over i of the derivative of the i-th output by the i-th input, example by example")
def test_divergence_is_the_trace_of_the_jacobian(ps, rng):
    """The divergence is the trace of each example's Jacobian, for vectors and images, also inside no_grad."""
    ps.provide(waves_field=waves_field)
    for shape in ((4, 3), (1, 5), (3, 2, 1, 3), (2, 2)):
        D = math.prod(shape[1:])
        W, b, c = normal(rng, D, D), normal(rng, D), normal(rng, D)
        x, t = normal(rng, *shape), uniform(rng, shape[0])
        got, marked = ps.run(probe_divergence, W, b, c, non_contiguous(x), t, None)
        expect_true(not marked, "the given x stays as it is: detach before asking for a gradient in it")
        expect_close(got, np.trace(jacobians(W, b, x, t), axis1=1, axis2=2))


@points(1, part="8e", hint="eps J eps, one number per example, from a single backward pass")
def test_random_directions_estimate_the_trace(ps, rng):
    """With eps given, the result is eps^T J eps; over all corners of the cube it averages to the trace."""
    ps.provide(waves_field=waves_field)
    for shape in ((4, 3), (3, 2, 1, 2)):
        D = math.prod(shape[1:])
        W, b, c = normal(rng, D, D), normal(rng, D), normal(rng, D)
        x, t, eps = normal(rng, *shape), uniform(rng, shape[0]), normal(rng, *shape)
        flat = eps.flatten(1).numpy()
        want = np.einsum("bi,bij,bj->b", flat, jacobians(W, b, x, t), flat)
        expect_close(ps.run(probe_divergence, W, b, c, x, t, eps)[0], want)
        corners = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * D)
        every, when = x[:1].expand(len(corners), *shape[1:]), t[:1].expand(len(corners))
        got, _ = ps.run(probe_divergence, W, b, c, every, when, corners.reshape(every.shape))
        expect_shape(got, len(corners))
        trace = np.trace(jacobians(W, b, x[:1], t[:1]), axis1=1, axis2=2)
        expect_close(got.mean()[None], trace, "the mean over random signs is the trace")


@points(
    1, part="8e", hint="go back from t = 1 to the noise; log-density there, less the divergence along the whole way"
)
def test_density_of_normal_data_is_found(ps, rng):
    """With the exact field of normal data, the log-density is the normal's; with eps, an estimate of it."""
    lend(ps)
    for D, shape, n, method in ((2, (4, 2), 16, "rk4"), (3, (2, 1, 1, 3), 16, "rk4"), (1, (3, 1), 64, "heun")):
        law = law_of(rng, 1, D)
        x1, eps = law[1][0] + 1.5 * normal(rng, shape[0], D), 1.5 + uniform(rng, shape[0], D)
        mean, S = law[1][0].numpy(), law[2][0].numpy()
        want = stats.multivariate_normal(mean, S).logpdf(x1.numpy())
        got, kept = ps.run(density_probes.exact_density, *law, x1.reshape(shape), n, method)
        expect_true(kept, "v is asked about examples in their own shape")
        expect_close(got, np.reshape(want, -1), rtol=1e-3, atol=1e-3)
        got, _ = ps.run(density_probes.exact_density, *law, x1.reshape(shape), n, method, eps.reshape(shape))
        want = along(eps.numpy(), x1.numpy(), mean, S)
        expect_close(got, want, "the given eps goes to the divergence, the same in all steps", rtol=1e-3, atol=1e-2)
    for method, order in METHODS.items():  # a turn keeps lengths; each method stretches them in its own way
        x1, n = normal(rng, 3, 2), 2
        stretch = abs(sum((-1j / n) ** power / math.factorial(power) for power in range(order + 1))) ** (2 * n)
        want = -0.5 * stretch * x1.square().sum(1) - math.log(2 * math.pi)
        expect_close(
            ps.run(density_probes.density_of_a_turn, x1, n, method),
            want,
            "the number of steps and the method are passed on",
        )


@points(1, part="8e", hint="the divergence changes along the way: integrate it with the trajectory, by the same method")
def test_density_of_a_mixture_is_found(ps, rng):
    """With the exact field of a mixture, the log-density is the mixture's, near its means and between."""
    lend(ps)
    for B, K in ((6, 3), (1, 2)):
        weights, means, covariances = law_of(rng, K, 2)
        x1 = means[:1] + normal(rng, B, 2)
        each = [stats.multivariate_normal(m, S).logpdf(x1.numpy()) for m, S in zip(means, covariances, strict=True)]
        want = np.log(weights.numpy() @ np.exp(np.reshape(each, (K, B))))
        got, _ = ps.run(density_probes.exact_density, weights, means, covariances, x1, 32, "rk4")
        expect_tensor(got)
        expect_close(got, want, rtol=2e-3, atol=2e-3)


def lend(ps):
    """Everything that the log-density is built of."""
    ps.provide(ode_solve=good_ode_solve, divergence=good_divergence, mixture_field=mixture_field)
