"""Hidden tests of question 7: ELBO samples and two gradients of each, against definitions and exact expectations.

Expectations over standard normal numbers are taken by Gauss-Hermite quadrature: its nodes go in as eps and its weights
average what comes back. For polynomials this is exact, so no test has a false-alarm rate.
"""

import itertools
import math

import numpy as np
import torch
from scipy.stats import norm

from autograder.hidden.ps1_probabilistic import known_good
from autograder.testing import (
    expect_close,
    expect_equal,
    expect_shape,
    expect_true,
    expect_untouched,
    non_contiguous,
    normal,
    points,
    spd,
)

WIDE = torch.tensor([-20.0, -12.0, 10.0, 0.0], dtype=torch.float64)  # log-variances that guards would change


def curved(z):
    """A joint that is not Gaussian, for NumPy rows z (S, D): a wave, a quartic and a coupling of neighbours."""
    return np.sin(z).sum(-1) - 0.1 * (z**4).sum(-1) + 0.7 * z[..., 0] * z[..., -1]


def probe_curved(ns, name, q_mu, q_logvar, eps, *baseline):
    """The student's function on the joint `curved`, what its tensors are after it, and whether one is marked."""

    def log_joint(z):
        return z.sin().sum(-1) - 0.1 * (z**4).sum(-1) + 0.7 * z[..., 0] * z[..., -1]

    got = getattr(ns, name)(log_joint, q_mu, q_logvar, eps, *baseline)
    given = [q_mu, q_logvar, eps]
    return got, given, any(each.requires_grad for each in given)


def probe_quadratic(ns, name, precision, centre, log_evidence, q_mu, q_logvar, eps, *baseline):
    """The student's function on log_evidence + log N(z; centre, inverse of precision), written as a quadratic."""
    import math

    def log_joint(z):
        away = z - centre.to(z.dtype)
        log_det = precision.logdet() - len(centre) * math.log(2 * math.pi)
        return log_evidence + 0.5 * log_det.to(z.dtype) - 0.5 * ((away @ precision.to(z.dtype)) * away).sum(-1)

    return getattr(ns, name)(log_joint, q_mu, q_logvar, eps, *baseline)


def probe_steps(ns, q_mu, q_logvar, eps, baseline):
    """The score-function gradient on a joint that counts: whole numbers, made outside of autograd."""
    import torch

    def log_joint(z):
        return torch.from_numpy(z.detach().numpy().round().sum(-1))

    return ns.score_function_grad(log_joint, q_mu, q_logvar, eps, baseline)


def on_curved(ps, name, *args):
    """What the student's function returns on the joint `curved`; its tensors must be what they were."""
    got, after, marked = ps.run(probe_curved, name, *args)
    expect_untouched(after, args[:3], marked)
    return got


def elbo_samples(joint, mu, logvar, eps):
    """log p(x, z) - log q(z) at z = mu + std * eps, by scipy; mu and logvar may have a row per sample."""
    std = np.exp(np.asarray(logvar) / 2)
    z = np.asarray(mu) + std * np.asarray(eps)
    return joint(z) - norm(np.asarray(mu), std).logpdf(z).sum(-1)


def slopes(function, at, h=1e-5):
    """Central differences (S, D) of a function of D numbers with S values; accurate to about 1e-9."""
    steps = h * np.eye(len(at))
    return np.stack([(function(at + step) - function(at - step)) / (2 * h) for step in steps], axis=-1)


def hermite(D, order=5):
    """Nodes (order ** D, D) and weights of the standard normal; exact for polynomials of degree 2 * order - 1."""
    x, w = np.polynomial.hermite_e.hermegauss(order)
    nodes = np.array(list(itertools.product(x, repeat=D)))
    weights = np.array([math.prod(ws) for ws in itertools.product(w / w.sum(), repeat=D)])
    return torch.from_numpy(nodes), torch.from_numpy(weights)


def gaussian_problem(rng, D):
    """A correlated posterior (precision, mean), a log-evidence far from 0, and a diagonal q with unequal variances."""
    return (spd(rng, D), normal(rng, D), 2.5), normal(rng, D), 0.8 * normal(rng, D)


def gaussian_elbo(precision, centre, log_evidence, mu, logvar):
    """log-evidence - KL(q || posterior), differentiable, from torch's closed form."""
    q = torch.distributions.MultivariateNormal(mu, torch.diag(logvar.exp()))
    posterior = torch.distributions.MultivariateNormal(centre, precision_matrix=precision)
    return log_evidence - torch.distributions.kl_divergence(q, posterior)


def gaussian_gradient(problem, mu, logvar):
    """Exact gradients (D,), (D,) of the ELBO."""
    parameters = [mu.clone().requires_grad_(), logvar.clone().requires_grad_()]
    return torch.autograd.grad(gaussian_elbo(*problem, *parameters), parameters)


def provide_elbo(ps):
    """A known-good 7a: a mistake there costs nothing in 7b and 7c."""
    ps.provide(elbo_mc=known_good.elbo_mc)


def pair(got):
    """The two gradients, or a sentence."""
    expect_true(isinstance(got, (tuple, list)) and len(got) == 2, "two results: for q_mu, then for q_logvar")
    return got


@points(1, part="7a", hint="one number per sample: the joint minus log q, both at that sample, constants included")
def test_each_sample_is_joint_minus_log_q(ps, rng):
    """Row s is log p(x, z_s) - log q(z_s) at z_s = q_mu + std * eps_s."""
    mu, logvar, eps = normal(rng, 3), normal(rng, 3), normal(rng, 5, 3)
    got = on_curved(ps, "elbo_mc", mu, logvar, non_contiguous(eps))
    expect_close(got, elbo_samples(curved, mu, logvar, eps))
    one = on_curved(ps, "elbo_mc", mu.float(), logvar.float(), eps[:1].float())
    expect_close(one, torch.from_numpy(elbo_samples(curved, mu, logvar, eps[:1])).float(), "one sample, float32")


@points(1, part="7a", hint="at the posterior, joint and q differ by a constant only")
def test_every_sample_is_the_evidence_when_q_is_the_posterior(ps, rng):
    """With q equal to the posterior every sample, however far out, equals the log-evidence."""
    logvar, mu, eps = normal(rng, 4) + WIDE, normal(rng, 4), 3 * normal(rng, 6, 4)
    got = ps.run(probe_quadratic, "elbo_mc", torch.diag((-logvar).exp()), mu, -7.5, mu, logvar, eps)
    hint = "q_logvar is any real number: no clamp, and no epsilon beside the variance"
    expect_close(got, torch.full((6,), -7.5, dtype=torch.float64), hint)


@points(1, part="7a", hint="log-evidence minus the divergence from q to the posterior, in this direction")
def test_expected_sample_is_evidence_minus_reverse_divergence(ps, rng):
    """The exact expectation of the samples is log-evidence - KL(q || posterior)."""
    problem, mu, logvar = gaussian_problem(rng, 3)
    nodes, weights = hermite(3)
    samples = ps.run(probe_quadratic, "elbo_mc", *problem, mu, logvar, nodes)
    expect_shape(samples, 125)
    expect_close((weights * samples).sum(), gaussian_elbo(*problem, mu, logvar))


@points(1, part="7b", hint="shake a parameter with eps held fixed: the sample moves, and so does log q")
def test_every_sample_has_its_total_derivative(ps, rng):
    """Row s holds the derivatives of ELBO sample s along both parameters, eps fixed."""
    provide_elbo(ps)
    mu, logvar, eps = normal(rng, 3), 0.5 * normal(rng, 3), normal(rng, 4, 3)
    by_mu, by_logvar = pair(on_curved(ps, "reparam_grad", mu, logvar, non_contiguous(eps)))
    want = slopes(lambda m: elbo_samples(curved, m, logvar, eps), mu.numpy())
    expect_close(by_mu, want, rtol=1e-5, atol=1e-6)
    want = slopes(lambda v: elbo_samples(curved, mu, v, eps), logvar.numpy())
    expect_close(by_logvar, want, rtol=1e-5, atol=1e-6)


@points(1, part="7b", hint="averaged over eps, the rows must be the gradient of the ELBO")
def test_moved_samples_average_to_the_gradient(ps, rng):
    """The exact expectation of the rows is the gradient of log-evidence - KL(q || posterior)."""
    provide_elbo(ps)
    problem, mu, logvar = gaussian_problem(rng, 2)
    logvar, (nodes, weights) = logvar + WIDE[1:3], hermite(2)
    rows = pair(ps.run(probe_quadratic, "reparam_grad", *problem, mu, logvar, nodes))
    for got, want in zip(rows, gaussian_gradient(problem, mu, logvar), strict=True):
        expect_shape(got, 25, 2)
        expect_close(weights @ got, want)


@points(1, part="7b", hint="one gradient row per sample: with one sample, one row")
def test_single_samples_in_single_precision_have_one_row(ps, rng):
    """One sample in float32 gives two float32 gradients of one row each."""
    provide_elbo(ps)
    (precision, centre, evidence), mu, logvar = gaussian_problem(rng, 3)
    eps = normal(rng, 1, 3)
    std = torch.exp(logvar / 2)
    pull = -(mu + std * eps - centre) @ precision
    args = (precision.float(), centre.float(), evidence, mu.float(), logvar.float(), eps.float())
    by_mu, by_logvar = pair(ps.run(probe_quadratic, "reparam_grad", *args))
    expect_close(by_mu, pull.float())
    expect_close(by_logvar, (pull * std * eps / 2 + 0.5).float())


@points(1, part="7c", hint="(ELBO sample - baseline) times the gradient of log q, the sample held fixed")
def test_every_sample_pushes_by_its_advantage(ps, rng):
    """Row s is (f_s - baseline) times the gradient of log q(z_s), also where the joint cannot be differentiated."""
    provide_elbo(ps)
    mu, logvar, eps = normal(rng, 3), normal(rng, 3), normal(rng, 5, 3)
    z = (mu + (logvar / 2).exp() * eps).numpy()
    samples = elbo_samples(lambda z: z.round().sum(-1), mu, logvar, eps)
    want_mu = slopes(lambda m: norm(m, np.exp(logvar / 2)).logpdf(z), mu.numpy())
    want_logvar = slopes(lambda v: norm(mu, np.exp(v / 2)).logpdf(z), logvar.numpy())
    by_mu, by_logvar = pair(ps.run(probe_steps, mu, logvar, eps, 1.75))
    advantage = (samples - 1.75)[:, None]
    diagonal = np.arange(3)
    expect_close(by_mu, advantage * want_mu[:, diagonal, diagonal], rtol=1e-5, atol=1e-6)
    expect_close(by_logvar, advantage * want_logvar[:, diagonal, diagonal], rtol=1e-5, atol=1e-6)
    rows = pair(on_curved(ps, "score_function_grad", *(each.float() for each in (mu, logvar, eps)), 1.75))
    for row in rows:
        expect_equal(str(getattr(row, "dtype", None)), "torch.float32", "float32 stays float32")


@points(1, part="7c", hint="no baseline may change the gradient on average, only its noise")
def test_any_baseline_averages_to_the_gradient(ps, rng):
    """The exact expectation of the rows is the gradient of the ELBO for any baseline; the rows themselves differ."""
    provide_elbo(ps)
    problem, mu, logvar = gaussian_problem(rng, 2)
    logvar, (nodes, weights) = logvar + WIDE[1:3], hermite(2)
    want, seen = gaussian_gradient(problem, mu, logvar), []
    for baseline in (0.0, -3.25):
        rows = pair(ps.run(probe_quadratic, "score_function_grad", *problem, mu, logvar, nodes, baseline))
        for got, exact in zip(rows, want, strict=True):
            expect_shape(got, 25, 2)
            expect_close(weights @ got, exact)
        seen.append(rows[0])
    score = nodes * (-logvar / 2).exp()
    expect_close(seen[1] - seen[0], 3.25 * score, "the baseline changes the noise: it multiplies the gradient of log q")
