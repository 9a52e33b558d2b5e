"""Slow densities and estimates, written apart from the solutions: scipy's densities, loops over examples, sums.

All of it is NumPy in float64, whatever the dtype of the input.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

Array = NDArray[np.float64]


def array(x: ArrayLike) -> Array:
    """The values of a tensor, array or list in float64."""
    return np.asarray(x, dtype=np.float64)


def gaussian_logpdf(X: ArrayLike, mu: ArrayLike, Sigma: ArrayLike) -> Array:
    """Log-density (N,) of the rows of X (N, D), by scipy's eigendecomposition."""
    return np.array([multivariate_normal(array(mu), array(Sigma)).logpdf(x) for x in array(X)])


def covariance(X: ArrayLike, weights: ArrayLike, centre: ArrayLike) -> Array:
    """Covariance (D, D) around a centre (D,), a weighted mean of outer products, one example at a time."""
    outer = [np.outer(x - array(centre), x - array(centre)) for x in array(X)]
    return np.average(outer, axis=0, weights=array(weights))


def log_joint(X: ArrayLike, log_pi: ArrayLike, mus: ArrayLike, Sigmas: ArrayLike) -> Array:
    """Log p(k) + log p(x_n | k) as (N, K), one component at a time."""
    parts = zip(array(log_pi), array(mus), array(Sigmas), strict=True)
    return np.stack([log_weight + gaussian_logpdf(X, mu, Sigma) for log_weight, mu, Sigma in parts], axis=1)


def posterior(log_joint: ArrayLike) -> tuple[Array, Array]:
    """Log-posterior (N, K) and log-evidence (N,) of a log-joint (N, K), by Bayes' rule."""
    evidence = logsumexp(array(log_joint), axis=1)
    return array(log_joint) - evidence[:, None], evidence


def mixture_logpdf(X: ArrayLike, log_pi: ArrayLike, mus: ArrayLike, Sigmas: ArrayLike) -> Array:
    """Log-density (N,) of a mixture of Gaussians."""
    return posterior(log_joint(X, log_pi, mus, Sigmas))[1]


def weighted_gaussians(
    X: ArrayLike, weights: ArrayLike, ridge: float = 0.0, zero_mean: bool = False
) -> tuple[Array, Array, Array]:
    """Shares (K,), means (K, D) and covariances (K, D, D) of the rows of X (N, D) under weights (N, K)."""
    X, weights = array(X), array(weights)
    columns, floor = weights.T, ridge * np.eye(X.shape[1])
    mus = np.stack([np.average(X, axis=0, weights=column) for column in columns]) * (0.0 if zero_mean else 1.0)
    Sigmas = np.stack([covariance(X, column, mu) + floor for column, mu in zip(columns, mus, strict=True)])
    return weights.sum(axis=0) / len(X), mus, Sigmas


def em(
    X: ArrayLike, weights: ArrayLike, n_iter: int, ridge: float = 0.0, zero_mean: bool = False
) -> tuple[tuple[Array, Array, Array], list[float]]:
    """Shares, means and covariances after n_iter rounds from weights (N, K), and the mean log-likelihood after each."""
    trace = []
    for _ in range(n_iter):
        shares, mus, Sigmas = weighted_gaussians(X, weights, ridge, zero_mean)
        log_weights, evidence = posterior(log_joint(X, np.log(shares), mus, Sigmas))
        weights = np.exp(log_weights)
        trace.append(float(evidence.mean()))
    return (shares, mus, Sigmas), trace
