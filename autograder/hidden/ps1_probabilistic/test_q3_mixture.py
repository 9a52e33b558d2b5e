"""Question 3: the density of a mixture and its E-step. Oracles: scipy's densities, Bayes' rule, closed forms."""

import numpy as np
import torch

from autograder.hidden.ps1_probabilistic import known_good, oracle
from autograder.testing import (
    expect_close,
    expect_finite,
    expect_shape,
    expect_true,
    non_contiguous,
    normal,
    points,
    spd,
    untouched,
)


def mixture(rng, K, D):
    """Components that differ in weight, place, shape and scale: log_pi (K,), mus (K, D), Sigmas (K, D, D)."""
    scales = torch.linspace(0.4, 2, K, dtype=torch.float64)[:, None, None]
    return (1.5 * normal(rng, K)).log_softmax(0), normal(rng, K, D), scales * spd(rng, D, K)


def provide_gaussian(ps):
    """A known-good density of question 1: a mistake there costs nothing in 3a."""
    ps.provide(gaussian_logpdf=known_good.gaussian_logpdf)


def provide_joint(ps):
    """Known-good functions of 1b and 3a: a mistake there costs nothing in 3b."""
    ps.provide(gaussian_logpdf=known_good.gaussian_logpdf, gmm_log_joint=known_good.gmm_log_joint)


@points(2, "3a", hint="add the log-weight of a component to the log-density of its own Gaussian")
def test_log_joint_adds_log_weight_and_log_density(ps, rng):
    """Entry (n, k) is the log-weight of component k plus the log-density of example n under its full Gaussian."""
    provide_gaussian(ps)
    for N, K, D in ((7, 4, 3), (2, 3, 5)):
        X, parameters = 2 * normal(rng, N, D), mixture(rng, K, D)
        got, want = ps.gmm_log_joint(non_contiguous(X), *parameters), oracle.log_joint(X, *parameters)
        expect_shape(got, N, K)
        expect_close(got, want)
        expect_close(
            got, want, "float64 all the way: a float32 tensor inside loses half of the digits", rtol=1e-10, atol=1e-11
        )


def probe_pull(ns, X, log_pi, mus, Sigmas):
    """The gradient in X of the sum of all entries; None where the graph is lost."""
    import torch

    X = X.clone().requires_grad_()
    total = ns.gmm_log_joint(X, log_pi, mus, Sigmas).sum()
    return torch.autograd.grad(total, X)[0] if total.requires_grad else None


@points(1, "3a", hint="column k uses the weight, the mean and the covariance of component k, and of no other")
def test_permuting_the_components_permutes_the_columns(ps, rng):
    """If the components change places, so do the columns, and no value changes; each component pulls on x."""
    provide_gaussian(ps)
    X, (log_pi, mus, Sigmas) = normal(rng, 6, 2), mixture(rng, 4, 2)
    order = [2, 0, 3, 1]
    got = ps.gmm_log_joint(X, log_pi[order], mus[order], Sigmas[order])
    expect_shape(got, 6, 4)
    expect_close(got, oracle.log_joint(X, log_pi, mus, Sigmas)[:, order])
    pull = ps.run(probe_pull, X, log_pi, mus, Sigmas)
    expect_true(pull is not None, "question 7 differentiates this function in X: operations of torch, no detach")
    away = mus.numpy() - X.numpy()[:, None]
    expect_close(pull, np.linalg.solve(Sigmas.numpy(), away[..., None])[..., 0].sum(axis=1), "its gradient in X")


@points(1, "3a", hint="weights come as logarithms and stay logarithms; so do determinants")
def test_vanishing_weights_and_small_variances_do_not_underflow(ps, rng):
    """A weight of exp(-800), 100 dimensions with variances near 1e-10 and far examples give exact log-densities."""
    provide_gaussian(ps)
    X, mus, Sigmas = normal(rng, 3, 100), normal(rng, 2, 100), spd(rng, 100, 2)
    log_pi = torch.tensor([0.0, -800.0], dtype=torch.float64)
    got = ps.gmm_log_joint(1e-5 * X, log_pi, 1e-5 * mus, 1e-10 * Sigmas)
    expect_shape(got, 3, 2)
    expect_finite(got, "exp(-800) is 0 in float64, and so is the product of 100 small eigenvalues")
    expect_close(got, oracle.log_joint(X, log_pi, mus, Sigmas) + 100 * np.log(1e5))
    far = ps.gmm_log_joint(1e3 * X, log_pi, mus, Sigmas)
    expect_close(far, oracle.log_joint(1e3 * X, log_pi, mus, Sigmas), "log-densities far below zero stay what they are")


@points(1, "3a", hint="shapes must not depend on N, K and D being larger than 1")
def test_one_example_and_one_component_keep_their_dimensions(ps, rng):
    """One example, one component or one dimension still give an (N, K) result; K = 1 is the Gaussian of question 1."""
    provide_gaussian(ps)
    for N, K, D in ((1, 3, 2), (4, 1, 2), (3, 2, 1), (1, 1, 2)):
        X, parameters = normal(rng, N, D), mixture(rng, K, D)
        got = ps.gmm_log_joint(X, *parameters)
        expect_shape(got, N, K)
        expect_close(got, oracle.log_joint(X, *parameters))


@points(1, "3a", hint="keep the dtype of X, also for covariances that are one matrix seen K times")
def test_float32_and_shared_covariances_are_evaluated(ps, rng):
    """Float32 input gives float32 output, and covariances may be an expanded view of a single matrix."""
    provide_gaussian(ps)
    X, (log_pi, mus, _), Sigma = normal(rng, 5, 3), mixture(rng, 4, 3), spd(rng, 3)
    want = oracle.log_joint(X, log_pi, mus, np.stack([Sigma] * 4))
    expect_close(untouched(ps, "gmm_log_joint", X, log_pi, mus, Sigma.expand(4, 3, 3)), want)
    single = ps.gmm_log_joint(X.float(), log_pi.float(), mus.float(), Sigma.float().expand(4, 3, 3))
    expect_close(single, torch.from_numpy(want).float())


@points(2, "3b", hint="divide each example's joint by its sum over the components, prior weights included")
def test_responsibilities_are_posterior_probabilities(ps, rng):
    """The log-responsibilities are the log of p(k | x), by Bayes' rule over the components of each example."""
    provide_joint(ps)
    for N, K, D in ((7, 4, 3), (1, 3, 2)):
        X, parameters = 2 * normal(rng, N, D), mixture(rng, K, D)
        log_resp = ps.e_step(non_contiguous(X), *parameters)[0]
        expect_shape(log_resp, N, K)
        expect_close(log_resp, oracle.posterior(oracle.log_joint(X, *parameters))[0])


@points(2, "3b", hint="the likelihood of an example sums over the components, and there is one for every example")
def test_log_likelihood_sums_over_the_components(ps, rng):
    """Each example has one log-likelihood: the log of the sum over the components of weight times density."""
    provide_joint(ps)
    X, parameters = 2 * normal(rng, 6, 2), mixture(rng, 3, 2)
    want = oracle.mixture_logpdf(X, *parameters)
    expect_close(ps.e_step(X, *parameters)[1], want)
    expect_close(ps.e_step(X[:1], *parameters)[1], want[:1], "one example has one log-likelihood, in a tensor")
    single = ps.e_step(X.float(), *(p.float() for p in parameters))
    expect_close(single[1], torch.from_numpy(want).float())
    log_resp = oracle.posterior(oracle.log_joint(X, *parameters))[0]
    expect_close(single[0], torch.from_numpy(log_resp).float(), "float32 in, float32 out", rtol=1e-3, atol=1e-3)
    alone = ps.e_step(X, torch.zeros(1, dtype=torch.float64), *(p[:1] for p in parameters[1:]))
    expect_close(alone[0], np.zeros((6, 1)), "a single component is responsible for everything")


@points(1, "3b", hint="far from every component all densities underflow to 0: stay in logarithms to the end")
def test_far_examples_stay_finite(ps, rng):
    """Examples that are 1e4 away from every component have exact, finite log-responsibilities and log-likelihoods."""
    provide_joint(ps)
    X, parameters = 1e4 * normal(rng, 5, 2), mixture(rng, 3, 2)
    log_resp, loglik = untouched(ps, "e_step", X, *parameters)
    expect_shape(log_resp, 5, 3)
    expect_finite(log_resp, "an underflowed density has no logarithm")
    want_resp, want_loglik = oracle.posterior(oracle.log_joint(X, *parameters))
    expect_close(loglik, want_loglik)
    expect_close(log_resp, want_resp)
