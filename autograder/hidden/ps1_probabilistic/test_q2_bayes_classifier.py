"""Question 2: a Bayes classifier. Oracles: sums over the examples of a class, scipy's densities, linear log-odds."""

import numpy as np
import torch

from autograder.hidden.ps1_probabilistic import known_good, oracle
from autograder.testing import (
    expect_close,
    expect_finite,
    expect_shape,
    non_contiguous,
    normal,
    points,
    simplex,
    spd,
    untouched,
)


def labelled(rng, counts=(9, 2, 6, 1), D=3):
    """Shuffled examples (N, D), labels (N,) and labels one-hot (N, C): classes of different size, place and shape."""
    y = torch.from_numpy(rng.permutation(np.repeat(np.arange(len(counts)), counts)))
    X = (
        torch.einsum("nij,nj->ni", spd(rng, D, len(counts))[y], normal(rng, len(y), D))
        + 2 * normal(rng, len(counts), D)[y]
    )
    return X, y, np.eye(len(counts))[y.numpy()]


def provide_gaussian(ps):
    """Known-good functions of question 1: a mistake there costs nothing here."""
    ps.provide(fit_gaussian=known_good.fit_gaussian, gaussian_logpdf=known_good.gaussian_logpdf)


@points(
    1, "2a", hint="the prior of a class is its share of the examples, as a logarithm; each class has a mean of its own"
)
def test_priors_are_frequencies_and_means_are_those_of_each_class(ps, rng):
    """The priors are the log-frequencies of the classes, and each mean is that of its own class."""
    provide_gaussian(ps)
    X, y, one_hot = labelled(rng)
    shares, mus, _ = oracle.weighted_gaussians(X, one_hot)
    for shared in (True, False):
        log_prior, got_mus, _ = untouched(ps, "fit_class_gaussians", X, y, 4, shared)
        expect_close(log_prior, np.log(shares), "the prior of a class is its share of the N examples, as a logarithm")
        expect_close(got_mus, mus, "column c of the labels picks the examples that row c of the means averages")


@points(2, "2a", hint="average over the examples of the class around their own mean, and add the ridge once")
def test_each_class_has_its_own_covariance(ps, rng):
    """Without sharing, every class has the covariance of its own examples, around its own mean, plus the ridge."""
    provide_gaussian(ps)
    for counts, D in (((9, 2, 6, 1), 3), ((1, 4), 5)):
        X, y, one_hot = labelled(rng, counts, D)
        Sigmas = ps.fit_class_gaussians(non_contiguous(X), y, len(counts), False, ridge=0.3)[2]
        expect_close(Sigmas, oracle.weighted_gaussians(X, one_hot, ridge=0.3)[2])


@points(2, "2a", hint="every example counts once, and is compared with the mean of its own class")
def test_shared_covariance_counts_every_example_once(ps, rng):
    """The shared covariance averages over all examples, each around its own class mean, and comes once per class."""
    provide_gaussian(ps)
    X, y, one_hot = labelled(rng)
    own_means = oracle.weighted_gaussians(X, one_hot)[1][y.numpy()]
    want = oracle.covariance(X.numpy() - own_means, [1.0] * len(y), np.zeros(3)) + 0.2 * np.eye(3)
    Sigmas = ps.fit_class_gaussians(X, y, 4, True, ridge=0.2)[2]
    expect_shape(Sigmas, 4, 3, 3)
    expect_close(Sigmas, np.stack([want] * 4))
    shares, mus, own = oracle.weighted_gaussians(X, one_hot, ridge=0.2)
    for shared, covariances in ((True, np.stack([want] * 4)), (False, own)):
        single = ps.fit_class_gaussians(X.float(), y, 4, shared, ridge=0.2)
        for part, exact in zip(single, (np.log(shares), mus, covariances), strict=True):
            expect_close(part, torch.from_numpy(exact).float())


@points(2, "2b", hint="prior times density, divided by its sum over the classes: look at every factor, log|Sigma| too")
def test_posterior_follows_bayes_rule(ps, rng):
    """The posterior weighs each class by its prior and its full Gaussian density, and sums to 1 over the classes."""
    provide_gaussian(ps)
    for N, C, D in ((7, 4, 3), (1, 2, 5)):
        X, log_prior = 2 * normal(rng, N, D), (2 * normal(rng, C)).log_softmax(0)
        mus, Sigmas = normal(rng, C, D), torch.linspace(0.3, 3, C).double()[:, None, None] * spd(rng, D, C)
        got = ps.class_log_posterior(non_contiguous(X), log_prior, mus, Sigmas)
        expect_shape(got, N, C)
        expect_close(got, oracle.posterior(oracle.log_joint(X, log_prior, mus, Sigmas))[0])


@points(1, "2b", hint="far from every class all densities underflow to 0: stay in logarithms until the end")
def test_far_examples_have_a_posterior(ps, rng):
    """An example that is far from every class still has an exact, finite log-posterior."""
    provide_gaussian(ps)
    X, log_prior, mus, Sigmas = 1e3 * normal(rng, 4, 2), simplex(rng, 3).log(), normal(rng, 3, 2), spd(rng, 2, 3)
    got = ps.class_log_posterior(X, log_prior, mus, Sigmas)
    expect_shape(got, 4, 3)
    expect_finite(got, "exp of a large negative number is 0, and the log of 0 is not finite")
    expect_close(got, oracle.posterior(oracle.log_joint(X, log_prior, mus, Sigmas))[0])


@points(1, "2b", hint="with one covariance for all, log-odds are linear: their slope is Sigma^-1 (mu_1 - mu_0)")
def test_shared_covariance_gives_linear_log_odds(ps, rng):
    """If all classes share a covariance, the log-odds of two classes are the linear function of question 2c."""
    provide_gaussian(ps)
    X, log_prior, mus, Sigma = normal(rng, 6, 4), (2 * normal(rng, 3)).log_softmax(0), normal(rng, 3, 4), spd(rng, 4)
    slopes = np.linalg.solve(Sigma.numpy(), mus.numpy().T)
    scores = X.numpy() @ slopes + log_prior.numpy() - 0.5 * (mus.numpy().T * slopes).sum(axis=0)
    for dtype in (torch.float64, torch.float32):
        inputs = [a.to(dtype) for a in (X, log_prior, mus, Sigma.expand(3, 4, 4))]
        got = untouched(ps, "class_log_posterior", *inputs)
        expect_shape(got, 6, 3)
        odds = torch.from_numpy(scores[:, 1:] - scores[:, :1]).to(dtype)
        expect_close(got[:, 1:] - got[:, :1], odds, atol=1e-4 if dtype == torch.float32 else None)
