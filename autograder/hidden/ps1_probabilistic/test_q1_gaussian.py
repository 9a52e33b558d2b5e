"""Question 1: the Gaussian. Oracles: scipy, sums of outer products, the change of variables."""

import math

import torch

from autograder.hidden.ps1_probabilistic import oracle
from autograder.testing import expect_close, expect_shape, non_contiguous, normal, points, spd, untouched

FAR = "far from the mean the density itself underflows: its logarithm never goes through exp"


@points(2, "1a", hint="average over the examples: divide by N, keep every pair of dimensions, subtract the mean first")
def test_mean_and_covariance_are_averages_over_the_examples(ps, rng):
    """The mean and the covariance are averages over the N examples, with all D x D entries."""
    for N, D in ((7, 3), (4, 6), (1, 2)):
        X = normal(rng, N, D) @ spd(rng, D) + 3 * normal(rng, D)
        mu, Sigma = ps.fit_gaussian(X)
        expect_close(mu, X.numpy().mean(axis=0), "the mean runs over examples, not over dimensions")
        want = oracle.covariance(X, [1.0] * N, X.numpy().mean(axis=0))
        expect_close(Sigma, want)
        expect_close(
            1e10 * ps.fit_gaussian(1e-5 * X)[1], want, "no ridge but the one that was asked for, which may be 0"
        )


@points(1, "1a", hint="the ridge is added to each variance, once, and to nothing else")
def test_ridge_is_added_to_the_diagonal(ps, rng):
    """The ridge adds ridge * I to the covariance, so that fewer examples than dimensions are enough."""
    X, ridge = 2 * normal(rng, 3, 5) + 1, 0.1 + rng.random()
    mu, Sigma = ps.fit_gaussian(X, ridge=ridge)
    expect_close(mu, X.numpy().mean(axis=0), "the ridge does not touch the mean")
    plain = oracle.covariance(X, [1.0] * 3, X.numpy().mean(axis=0))
    for i in range(5):
        plain[i, i] += ridge
    expect_close(Sigma, plain)


@points(1, "1a", hint="return the dtype of X, leave X as it is, and rely neither on its memory nor on its origin")
def test_float32_strided_and_far_data_are_fitted_too(ps, rng):
    """Float32 data, data that are not contiguous in memory and data far from the origin are fitted as well."""
    X = normal(rng, 6, 4)
    want = oracle.covariance(X, [1.0] * 6, X.numpy().mean(axis=0)) + 0.5 * torch.eye(4).numpy()
    mu, Sigma = ps.fit_gaussian(X.float(), ridge=0.5)
    expect_close(mu, X.mean(0).float())
    expect_close(Sigma, torch.from_numpy(want).float())
    expect_close(ps.fit_gaussian(non_contiguous(X), ridge=0.5)[1], want)
    expect_close(
        untouched(ps, "fit_gaussian", X + 1e3, ridge=0.5)[1], want, "shifting the data must not change the covariance"
    )


@points(2, "1b", hint="check the three terms one by one: the squared distance, log|Sigma| and the constant, with its D")
def test_log_density_is_that_of_the_full_covariance(ps, rng):
    """The log-density of each example is that of a Gaussian with this mean and this full covariance."""
    for N, D in ((7, 3), (2, 5), (1, 4)):
        X, mu, Sigma = 2 * normal(rng, N, D), normal(rng, D), 1.5 * spd(rng, D)
        expect_close(ps.gaussian_logpdf(X, mu, Sigma), oracle.gaussian_logpdf(X, mu, Sigma))


@points(1, "1b", hint="a determinant of many small numbers underflows: add logarithms instead")
def test_hundred_small_variances_do_not_underflow(ps, rng):
    """With 100 dimensions and variances near 1e-10, 1e-4 or 1e4, or far away, the log-density is still exact."""
    X, mu, Sigma = normal(rng, 3, 100), normal(rng, 100), spd(rng, 100)
    unscaled = oracle.gaussian_logpdf(X, mu, Sigma)
    for scale in (1e-2, 1e-5, 1e2):
        got = ps.gaussian_logpdf(scale * X, scale * mu, scale**2 * Sigma)
        expect_shape(got, 3)
        expect_close(got, unscaled - 100 * math.log(scale), "add logarithms, and nothing else to any variance")
    far = ps.gaussian_logpdf(1e3 * X, mu, Sigma)
    expect_close(far, oracle.gaussian_logpdf(1e3 * X, mu, Sigma), FAR)


@points(1, "1b", hint="stretching space by A divides the density by |det A|, at every point")
def test_change_of_variables_holds(ps, rng):
    """Mapping data, mean and covariance by x -> Ax + b changes the log-density by exactly -log|det A|."""
    X, mu, Sigma = normal(rng, 5, 4), normal(rng, 4), spd(rng, 4)
    A, b = 2 * spd(rng, 4) + 0.2 * torch.triu(normal(rng, 4, 4), 1), 1e3 * normal(rng, 4)
    mapped = ps.gaussian_logpdf(X @ A.T + b, A @ mu + b, A @ Sigma @ A.T)
    expect_close(mapped, oracle.gaussian_logpdf(X, mu, Sigma) - torch.linalg.slogdet(A)[1].item())


@points(1, "1b", hint="one number per row, also for one row; the dtype is that of X")
def test_one_row_float32_and_strided_rows_are_evaluated(ps, rng):
    """A single row, float32 input and tensors that are not contiguous in memory give one log-density per row."""
    X, mu, Sigma = normal(rng, 6, 3), normal(rng, 3), spd(rng, 3)
    want = oracle.gaussian_logpdf(X, mu, Sigma)
    expect_close(ps.gaussian_logpdf(X[:1], mu, Sigma), want[:1])
    expect_close(untouched(ps, "gaussian_logpdf", non_contiguous(X), mu, Sigma), want)
    expect_close(ps.gaussian_logpdf(X.float(), mu.float(), Sigma.float()), torch.from_numpy(want).float())
