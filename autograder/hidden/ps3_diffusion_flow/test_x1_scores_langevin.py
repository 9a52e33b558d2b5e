"""Question x1. Oracles: central differences of SciPy's densities, Gauss-Hermite sums, linear chains, slopes by hand."""

import math

import numpy as np
import torch
from scipy import special, stats

from autograder.testing import (
    expect_close,
    expect_shape,
    expect_true,
    non_contiguous,
    normal,
    points,
    simplex,
    spd,
    uniform,
)


def logpdf(x, pi, mus, Sigmas):
    """The log-density of a mixture at one point, by SciPy."""
    each = [stats.multivariate_normal(m, S).logpdf(x) for m, S in zip(mus, Sigmas, strict=True)]
    return special.logsumexp(np.array(each), b=pi)


@points(1, "x1a", hint="pulls of all components, weighted by how likely each of them is at this very point")
def test_score_is_the_slope_of_the_log_density(ps, rng):
    """The score is the gradient of the log-density, by central differences, for any weights and covariances."""
    for B, K, D in ((4, 3, 2), (1, 2, 3), (3, 4, 1), (2, 2, 2)):
        pi, mus, Sigmas = simplex(rng, K), 1.5 * normal(rng, K, D), spd(rng, D, K)
        x, h = 1.5 * normal(rng, B, D), 1e-5
        law = (pi.numpy(), mus.numpy(), Sigmas.numpy())
        want = [[(logpdf(p + h * e, *law) - logpdf(p - h * e, *law)) / (2 * h) for e in np.eye(D)] for p in x.numpy()]
        got = ps.gmm_score(non_contiguous(x), pi.log(), mus, Sigmas)
        expect_close(got, np.array(want), rtol=1e-4, atol=1e-6)
        single = ps.gmm_score(x.float(), pi.log().float(), mus.float(), Sigmas.float())
        expect_close(single, torch.tensor(want, dtype=torch.float32), rtol=1e-2, atol=1e-2)


@points(1, "x1a", hint="far out all densities underflow: take the softmax of their logarithms")
def test_score_is_finite_far_from_all_components(ps, rng):
    """Where every density underflows, the score is still that of the components that are left in doubt."""
    for D, far in ((2, 300.0), (1, 1e4)):
        mus = torch.zeros(3, D, dtype=torch.float64)
        mus[0, 0], mus[1, 0], mus[2, 0] = -2.0, 2.0, 40.0
        pi, variance = simplex(rng, 3), float(rng.uniform(0.5, 2))
        Sigmas = variance * torch.eye(D, dtype=torch.float64).expand(3, D, D)
        x = torch.full((2, D), 0.0, dtype=torch.float64)
        x[0, 0], x[1, 0] = -far, far
        want = torch.stack([-(x[0] - mus[0]), -(x[1] - mus[2])]) / variance
        expect_close(ps.gmm_score(x, pi.log(), mus, Sigmas), want)


def probe_dsm(ns, A, x, sigma, noise):
    """The loss of the score A x / (1 + sigma), and the gradient of its sum in A."""
    A = A.clone().requires_grad_()

    def score(x, sigma):
        return ((x.flatten(1) @ A.mT) / (1 + sigma[:, None])).reshape(x.shape)

    loss = ns.dsm_loss(score, x, sigma, noise)
    return loss.detach(), torch.autograd.grad(loss.sum(), A)[0] if loss.requires_grad else None


@points(0.5, "x1b", hint="sigma times the score at the noisy point, plus the noise: squared, mean over the features")
def test_denoising_loss_of_a_linear_score(ps, rng):
    """Each example's loss is computed at its own noise level, and its gradient reaches the score."""
    for shape in ((4, 4), (3, 1, 2, 3), (1, 2)):
        D = math.prod(shape[1:])
        A, x, noise, sigma = (
            normal(rng, D, D),
            normal(rng, *shape),
            normal(rng, *shape),
            0.2 + 2 * uniform(rng, shape[0]),
        )
        want, slope = [], np.zeros((D, D))
        for point, e, level in zip(x.flatten(1).numpy(), noise.flatten(1).numpy(), sigma.tolist(), strict=True):
            noisy = point + level * e
            error = level * (A.numpy() @ noisy) / (1 + level) + e
            want.append(np.mean(error**2))
            slope += np.outer(2 * error * level / (1 + level) / D, noisy)
        loss, grad = ps.run(probe_dsm, A, non_contiguous(x), sigma, noise)
        expect_close(loss, np.array(want))
        expect_true(grad is not None, "the loss must hang on the score's output: no detach, no no_grad")
        expect_close(grad, slope, "the loss is differentiable in the score's parameters")


def probe_dsm_normal(ns, factor, variance, x, sigma, noise):
    """The loss of a factor times the exact score of noisy N(0, variance)."""
    return ns.dsm_loss(lambda x, sigma: -factor * x / (variance + sigma[:, None] ** 2), x, sigma, noise)


@points(
    0.5, "x1b", hint="the best score is that of the noisy data; what it leaves is how little of the noise it can tell"
)
def test_noisy_score_is_the_minimiser(ps, rng):
    """For normal data the average loss, by quadrature, is least at the noisy score, where it is v / (v + sigma^2)."""
    nodes, masses = np.polynomial.hermite_e.hermegauss(5)
    mass = torch.from_numpy(np.outer(masses, masses).flatten() / masses.sum() ** 2)
    for _ in range(3):
        variance, level = rng.uniform(0.3, 3), rng.uniform(0.3, 2)
        x, noise = (torch.from_numpy(side.reshape(-1, 1)) for side in np.meshgrid(math.sqrt(variance) * nodes, nodes))
        sigma = torch.full((25,), level, dtype=torch.float64)
        for factor in (1.0, 0.8, 1.3):
            got = ps.run(probe_dsm_normal, factor, variance, x, sigma, noise)
            expect_shape(got, 25)
            least = variance / (variance + level**2)
            excess = (factor - 1) ** 2 * level**2 / (variance + level**2)
            expect_close((mass * got).sum(), least + excess, "the minimiser is the score of the noisy data")


def probe_langevin(ns, A, b, x, eta, noises):
    """The states for the score A x + b, and what the score was asked."""
    asked = []

    def score(x):
        asked.append(x)
        return (x.flatten(1) @ A.mT + b).reshape(x.shape)

    return ns.langevin(score, x, eta, noises), len(asked)


@points(0.5, "x1c", hint="half of eta times the score, and the root of eta times the noise, S times")
def test_chain_of_a_linear_score(ps, rng):
    """All S + 1 states of a chain with a linear score are those of a loop in NumPy."""
    for shape, S, eta in (((4, 3), 5, 0.3), ((2, 1, 2, 3), 3, 1.7), ((1, 2), 1, 0.05)):
        D = math.prod(shape[1:])
        A, b, x, noises = 0.5 * normal(rng, D, D), normal(rng, D), normal(rng, *shape), normal(rng, S, *shape)
        want = [x.flatten(1).numpy()]
        for noise in noises.flatten(2).numpy():
            want.append(want[-1] + eta / 2 * (want[-1] @ A.numpy().T + b.numpy()) + math.sqrt(eta) * noise)
        got, asked = ps.run(probe_langevin, A, b, non_contiguous(x), eta, noises)
        expect_shape(got, S + 1, *shape)
        expect_close(got, np.array(want).reshape(S + 1, *shape))
        expect_true(asked == S, "the score is asked once in each step")


@points(
    0.5, "x1c", hint="on N(0, 1) the variance must settle at 1 / (1 - eta / 4): a whole step of noise, half of drift"
)
def test_variance_settles_where_it_should(ps, rng):
    """On N(0, 1), the responses to single noises add up to the variance 1 / (1 - eta / 4), to rounding."""
    for eta, S in ((0.5, 70), (1.0, 40), (3.0, 40)):
        noises = torch.eye(S, dtype=torch.float64)[:, :, None]  # the i-th chain gets a noise in step i alone
        zeros = torch.zeros(S, 1, dtype=torch.float64)
        got, _ = ps.run(probe_langevin, -torch.ones(1, 1).double(), torch.zeros(1).double(), zeros, eta, noises)
        expect_shape(got, S + 1, S, 1)
        expect_close(got[-1].square().sum(), 1 / (1 - eta / 4), rtol=1e-6)


def good_langevin(score, x, eta, noises):
    states = [x]
    for noise in noises:
        states.append((states[-1] + eta / 2 * score(states[-1]) + eta**0.5 * noise).detach())
    return torch.stack(states)


def probe_cd(ns, theta, mu, x, eta, noises):
    """The loss for E = theta / 2 |x - mu|^2, its gradients in theta and mu, under no_grad the loss alone."""
    theta, mu = theta.clone().requires_grad_(), mu.clone().requires_grad_()

    def energy(x):
        return theta / 2 * (x - mu).square().flatten(1).sum(1)

    loss = ns.ebm_cd_loss(energy, x, eta, noises)
    grads = torch.autograd.grad(loss.sum(), (theta, mu)) if loss.requires_grad else (None, None)
    return loss.detach(), grads[0], grads[1], x.requires_grad


def chain(theta, mu, x, eta, noises):
    """Where the chain of a quadratic energy ends, in NumPy."""
    x = x.numpy().copy()
    for noise in noises.numpy():
        x = x - eta / 2 * theta * (x - mu.numpy()) + math.sqrt(eta) * noise
    return torch.from_numpy(x)


@points(
    1, "x1d", hint="low energy at the data, high where the model's chain goes; the chain follows minus the slope of E"
)
def test_energy_falls_at_data_and_rises_at_the_chains_end(ps, rng):
    """The loss is the energy at the data less that at the end of a Langevin chain from the data, per example."""
    ps.provide(langevin=good_langevin)
    for shape, S, eta in (((4, 3), 3, 0.4), ((2, 1, 2, 2), 1, 1.1), ((1, 2), 5, 0.2)):
        theta, mu = torch.tensor(float(rng.uniform(0.5, 2))).double(), normal(rng, *shape[1:])
        x, noises = normal(rng, *shape), normal(rng, S, *shape)
        end = chain(float(theta), mu, x, eta, noises)
        want = float(theta) / 2 * ((x - mu).square() - (end - mu).square()).flatten(1).sum(1)
        loss, _, _, _ = ps.run(probe_cd, theta, mu, x, eta, noises)
        expect_close(loss, want)


@points(1, "x1d", hint="the chain's end is data: no gradient flows back through the steps that made it")
def test_gradient_holds_the_chain_constant(ps, rng):
    """The gradient is that of maximum likelihood with the chain's ends as samples, for every parameter."""
    ps.provide(langevin=good_langevin)
    for shape, S, eta in (((5, 2), 2, 0.5), ((3, 1, 2, 3), 4, 0.3)):
        theta, mu = torch.tensor(float(rng.uniform(0.5, 2))).double(), normal(rng, *shape[1:])
        x, noises = normal(rng, *shape), normal(rng, S, *shape)
        end = chain(float(theta), mu, x, eta, noises)
        _, by_theta, by_mu, marked = ps.run(probe_cd, theta, mu, x, eta, noises)
        expect_true(by_theta is not None, "the loss must hang on the energies: no no_grad around them")
        expect_close(by_theta, 0.5 * ((x - mu).square() - (end - mu).square()).sum())
        expect_close(by_mu, float(theta) * (end - x).sum(0), "both energies have a gradient, the chain has none")
        expect_true(not marked, "the given data stay as they are: detach before asking for a gradient in x")
