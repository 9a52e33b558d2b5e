"""Hidden tests of x2: ancestral, rejection and importance sampling, Metropolis-Hastings. Nothing here is random."""

import itertools

import numpy as np
import torch
from scipy import special

from autograder.testing import (
    expect_close,
    expect_finite,
    expect_shape,
    expect_untouched,
    non_contiguous,
    normal,
    points,
    simplex,
    spd,
    uniform,
    untouched,
)


@points(
    0.5, part="x2a", hint="the first component whose cumulative weight exceeds u; one of weight zero is never drawn"
)
def test_component_is_where_u_falls(ps, rng):
    """The cumulative weights cut [0, 1) into the components' shares, ends included."""
    log_pi = torch.tensor([-np.inf, *np.log([0.1] * 3), -np.inf, *np.log([0.1] * 7)], dtype=torch.float64)
    log_pi = log_pi - 1e-12  # as after rounding: the sum ends a little below one
    mus = torch.arange(12.0, dtype=torch.float64)[:, None] + torch.tensor([0.0, 50.0], dtype=torch.float64)
    u = torch.tensor([0.0, 0.05, 0.29, 0.31, 0.55, 0.999, 1 - 2**-53], dtype=torch.float64)
    X = ps.sample_mixture(log_pi, mus, spd(rng, 2, 12), u, torch.zeros(7, 2, dtype=torch.float64))
    expect_close(X, mus[[1, 1, 3, 5, 7, 11, 11]])


@points(1, part="x2a", hint="the noise is multiplied by the lower Cholesky factor of its own component's covariance")
def test_noise_is_coloured_by_the_cholesky_factor(ps, rng):
    """Each sample is its component's mean plus its Cholesky factor times its own noise."""
    for N, dtype in ((1, torch.float64), (3, torch.float32), (7, torch.float64)):
        mus, Sigmas = normal(rng, 4, 3), spd(rng, 3, 4)
        u, eps = uniform(rng, N).to(dtype), normal(rng, N, 3, dtype=dtype)
        log_pi = simplex(rng, 4).log()
        k = [int(np.searchsorted(np.cumsum(np.exp(log_pi)), float(v))) for v in u]
        want = np.stack(
            [mus[i] + np.linalg.cholesky(Sigmas[i]) @ e.double().numpy() for i, e in zip(k, eps, strict=True)]
        )
        given = (log_pi.to(dtype), mus.to(dtype), non_contiguous(Sigmas.to(dtype)), u, non_contiguous(eps))
        X = untouched(ps, "sample_mixture", *given)
        expect_close(X, torch.from_numpy(want).to(dtype))


@points(0.5, part="x2a", hint="over all u and eps, mean and covariance are those of the mixture")
def test_samples_have_the_moments_of_the_mixture(ps, rng):
    """On a grid that integrates u and eps exactly, the samples have the mixture's mean and covariance."""
    pi, mus, Sigmas = np.array([1, 3, 4]) / 8, normal(rng, 3, 2), spd(rng, 2, 3)
    nodes = [(-(3**0.5), 1 / 6), (0.0, 2 / 3), (3**0.5, 1 / 6)]  # three-point Gauss-Hermite rule
    grid = [(j / 8 + 1 / 16, a, b, v * w / 8) for j, (a, v), (b, w) in itertools.product(range(8), nodes, nodes)]
    u, first, second, weight = torch.tensor(grid, dtype=torch.float64).T
    X = ps.sample_mixture(torch.from_numpy(np.log(pi)), mus, Sigmas, u.clone(), torch.stack([first, second], dim=1))
    mean = pi @ mus.numpy()
    second_moment = sum(p * (S.numpy() + np.outer(m, m)) for p, m, S in zip(pi, mus, Sigmas, strict=True))
    expect_close(weight @ X, mean)
    expect_close(
        X.T @ (weight[:, None] * X) - torch.outer(weight @ X, weight @ X), second_moment - np.outer(mean, mean)
    )


@points(0.5, part="x2b", hint="keep x where u is below f(x) / (M q(x))")
def test_accepted_share_is_f_over_Mq(ps, rng):
    """Over a grid of u, each value is kept in exactly the share f / (M q) of its proposals."""
    share = rng.permutation([3, 8, 14, 19, 20]) / 20
    f, M = rng.uniform(0.5, 2, 5), 3.7
    q = f / (M * share)
    u = (torch.arange(20, dtype=torch.float64) + 0.5) / 20
    log_f, log_q = (torch.from_numpy(np.log(v)).repeat_interleave(20) for v in (f, q))
    kept = untouched(ps, "rejection_accept", log_f, log_q, float(np.log(M)), u.repeat(5))
    expect_close(kept, torch.cat([u < s for s in share]))


@points(0.5, part="x2b", hint="compare logarithms: the densities themselves underflow to zero")
def test_rejection_survives_underflow(ps, rng):
    """Densities far below the smallest number are compared correctly, and a density of zero is never kept."""
    gap, u = torch.tensor([0.9, 0.5, 0.2, 0.0]).double(), torch.tensor([0.8, 0.6, 0.1, 0.0]).double()
    log_q = -3000 - 100 * uniform(rng, 4)
    kept = ps.rejection_accept(gap.log() + log_q + 700.0, log_q, 700.0, u)
    expect_close(kept, torch.tensor([True, False, True, False]))
    kept = ps.rejection_accept((gap.log() + log_q + 700.0).float(), log_q.float(), 700.0, u.float())
    expect_close(kept, torch.tensor([True, False, True, False]))


@points(0.5, part="x2c", hint="weights sum to one, their effective number is 1 / sum w^2, and Z is the mean ratio f/q")
def test_weights_ess_and_evidence(ps, rng):
    """Weights, effective sample size and log Z agree with their definitions, and with equal weights ESS is N."""
    for N, dtype in ((7, torch.float64), (1, torch.float64), (5, torch.float32)):
        log_f, log_q = normal(rng, N, dtype=dtype), normal(rng, N, dtype=dtype)
        ratio = np.exp(log_f.double().numpy() - log_q.double().numpy())
        w, ess, log_Z = untouched(ps, "importance_weights", log_f, non_contiguous(log_q))
        expect_close(w, torch.from_numpy(ratio / ratio.sum()).to(dtype))
        expect_close(ess, torch.tensor(ratio.sum() ** 2 / (ratio**2).sum(), dtype=dtype))
        expect_close(log_Z, torch.tensor(np.log(ratio.mean()), dtype=dtype))


@points(0.5, part="x2c", hint="subtract the largest log-ratio (or a logsumexp) before taking exponentials")
def test_only_log_differences_matter(ps, rng):
    """Log-densities thousands below zero, or above, give the same weights and shift log Z by the same amount."""
    log_f, log_q = normal(rng, 6), normal(rng, 6)
    for shift in (-4000.0, 3000.0):
        w, ess, log_Z = ps.importance_weights(log_f + shift, log_q)
        expect_finite(w, "the weights are finite wherever the densities lie")
        want = special.softmax((log_f - log_q).numpy())
        expect_close(w, want)
        expect_close(ess, float(1 / (want**2).sum()))
        expect_close(log_Z, float(special.logsumexp((log_f - log_q).numpy()) - np.log(6) + shift))


def lognormal_walk(ns, x0, eps, u):
    """A chain for independent gamma variables, with multiplicative steps, whose proposal is not symmetric."""

    def log_f(x):
        return (1.5 * x.log() - 0.8 * x).sum(1)

    def log_q(new, old):
        return (-new.log() - (new.log() - old.log()) ** 2 / 0.5).sum(1)

    got = ns.metropolis_hastings(log_f, x0, lambda x, eps: x * (0.5 * eps).exp(), log_q, eps, u)
    return list(got), [x0, eps, u]


def slow_walk(x0, eps, u):
    """`lognormal_walk` one chain at a time; the correction for multiplicative steps is the product of x'/x."""
    chain, accepted = np.empty(eps.shape), np.empty(u.shape, dtype=bool)
    for c in range(eps.shape[1]):
        x = x0[c].numpy()
        for t in range(eps.shape[0]):
            new = x * np.exp(0.5 * eps[t, c].numpy())
            ratio = np.prod((new / x) ** 1.5 * np.exp(-0.8 * (new - x)) * new / x)
            accepted[t, c] = float(u[t, c]) < ratio
            x = new if accepted[t, c] else x
            chain[t, c] = x
    return chain, accepted


@points(1, part="x2d", hint="the ratio is f(x') q(x|x') over f(x) q(x'|x); a refused chain stays where it was")
def test_chains_follow_the_accepted_proposals(ps, rng):
    """Every step of every chain, with a proposal that is not symmetric, equals that of a slow loop."""
    for T, C, dtype in ((40, 4, torch.float64), (6, 1, torch.float32), (1, 3, torch.float64)):
        x0, eps, u = uniform(rng, C, 2) + 0.5, 2 * normal(rng, T, C, 2), uniform(rng, T, C)
        chain, accepted = slow_walk(x0, eps, u)
        given = (x0.to(dtype), non_contiguous(eps.to(dtype)), u.to(dtype))
        got, after = ps.run(lognormal_walk, *given)
        expect_untouched(after, given)
        expect_close(got[0], torch.from_numpy(chain).to(dtype))
        expect_close(got[1], torch.from_numpy(accepted))


def one_step_on_a_ring(ns, start, eps, u):
    """One step on four states in a ring, going right in three of four proposals; f doubles from state to state."""
    import torch

    right = torch.tensor([0.75], dtype=torch.float64).log()
    left = torch.tensor([0.25], dtype=torch.float64).log()

    def log_q(new, old):
        return torch.where((new - old) % 4 == 1, right, left)[:, 0]

    def propose(x, eps):
        return (x + torch.where(eps < 0.75, 1.0, -1.0)) % 4

    chain, _ = ns.metropolis_hastings(lambda x: x[:, 0] * 0.6931471805599453, start, propose, log_q, eps, u)
    return chain


@points(0.5, part="x2d", hint="at equilibrium as much must flow from x to x' as back")
def test_detailed_balance_holds(ps):
    """The transition matrix of a small chain, enumerated over all proposals and u, satisfies detailed balance."""
    grid = list(itertools.product(range(4), range(4), range(24)))  # state, proposal, u
    start, e, u = (np.array(v, dtype=float) for v in zip(*grid, strict=True))
    args = (start[:, None], e[None, :, None] / 4 + 0.125, (u[None] + 0.5) / 24)
    chain = ps.run(one_step_on_a_ring, *(torch.from_numpy(a) for a in args))
    expect_shape(chain, 1, len(grid), 1)
    flow = np.zeros((4, 4))
    for i, j in zip(start.astype(int), chain[0, :, 0].round().long().tolist(), strict=True):
        flow[i, j] += 2.0**i
    expect_close(torch.from_numpy(flow), flow.T.copy())
    expect_close(torch.from_numpy(flow.sum(0)), 96 * 2.0 ** np.arange(4), "one step leaves the distribution as it was")


def walk_on_an_interval(ns, x0, eps, u):
    import torch

    def log_f(x):
        return torch.where((x >= 0) & (x <= 1), -2000.0, -torch.inf).sum(1).to(x.dtype)

    def log_q(new, old):
        return torch.zeros(len(new), dtype=new.dtype)

    return list(ns.metropolis_hastings(log_f, x0, lambda x, eps: x + eps, log_q, eps, u))


@points(
    0.5,
    part="x2d",
    hint="refused steps repeat the old state; entries keep their own values; stay with logarithms, as in x2b",
)
def test_refused_steps_repeat_the_state(ps, rng):
    """Under a uniform density every proposal inside is taken, every one outside repeats the state, whatever u is."""
    x0 = torch.tensor([[0.5], [0.2], [0.9]], dtype=torch.float64)
    eps = torch.tensor([[0.25, 0.6, 0.3], [0.5, -1.0, -0.7], [-0.5, 0.1, 0.6]], dtype=torch.float64)[:, :, None]
    u = torch.tensor([[0.0, 0.999, 0.0], [0.0, 0.0, 0.9], [0.9, 0.5, 1e-300]], dtype=torch.float64)
    chain, accepted = ps.run(walk_on_an_interval, x0, eps, u)
    expect_close(chain[:, :, 0], np.array([[0.75, 0.8, 0.9], [0.75, 0.8, 0.2], [0.25, 0.9, 0.8]]))
    expect_close(accepted, torch.tensor([[True, True, False], [False, False, True], [True, True, True]]))
