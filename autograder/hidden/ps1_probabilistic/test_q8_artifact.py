"""Hidden tests of question 8: the handed-in mixture is a density, and photographs it has not seen are likely under it.

The photographs and how the two thresholds were chosen: `data/README.md` here and the README of the artifact.
"""

from pathlib import Path

import numpy as np
import torch
from scipy.fft import dctn
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from autograder.testing import Unexpected, expect_finite, expect_shape, expect_true, points

FILE, D, MOST_COMPONENTS = "ps1_gmm.safetensors", 63, 50
HALF, FULL = 150.0, 158.0  # nats per patch


def hidden_coefficients():
    """The hidden patches in the cosine basis without its constant, (8000, 63), by scipy."""
    P = np.load(Path(__file__).parent / "data" / "patches.npy") / 255.0
    return dctn(P.reshape(-1, 8, 8), axes=(1, 2), norm="ortho").reshape(-1, 64)[:, 1:]


def mixture(ps):
    """The artifact's log-weights (K,), means (K, 63) and covariances (K, 63, 63), found to be a density, in float64."""
    tensors = ps.artifact(FILE)
    for name in ("log_pi", "mus", "Sigmas"):
        if name not in tensors:
            raise Unexpected(f"{FILE} holds no tensor named {name}")
        expect_true(tensors[name].dtype in (torch.float32, torch.float64), f"{name} must be float32 or float64")
        expect_finite(tensors[name], f"{name} must be finite")
    log_pi, mus, Sigmas = (tensors[name].double() for name in ("log_pi", "mus", "Sigmas"))
    K = log_pi.numel()
    expect_true(1 <= K <= MOST_COMPONENTS, f"between 1 and {MOST_COMPONENTS} components are allowed")
    expect_shape(log_pi, K)
    expect_shape(mus, K, D)
    expect_shape(Sigmas, K, D, D)
    expect_true(abs(log_pi.exp().sum() - 1) < 1e-4, "log_pi holds the logarithms of weights that sum to one")
    asymmetry, largest = (Sigmas - Sigmas.mT).abs().amax((1, 2)), Sigmas.abs().amax((1, 2))
    expect_true((asymmetry <= 1e-5 * largest).all(), "every covariance is symmetric")
    Sigmas = (Sigmas + Sigmas.mT) / 2
    expect_true((torch.linalg.eigvalsh(Sigmas) > 0).all(), "every covariance has positive eigenvalues only")
    return log_pi.numpy(), mus.numpy(), Sigmas.numpy()


def mean_log_likelihood(X, log_pi, mus, Sigmas):
    """Nats per row of X under a mixture, a component at a time."""
    log_joint = np.empty((len(X), len(log_pi)))
    for k, (mu, Sigma) in enumerate(zip(mus, Sigmas, strict=True)):
        L = np.linalg.cholesky(Sigma)
        white = solve_triangular(L, (X - mu).T, lower=True)
        log_density = -0.5 * (white**2).sum(0) - np.log(np.diag(L)).sum() - D / 2 * np.log(2 * np.pi)
        log_joint[:, k] = log_pi[k] + log_density
    return logsumexp(log_joint, axis=1).mean()


@points(1, part="8a", hint="log-weights, means and covariances of at most 50 Gaussians in 63 dimensions")
def test_artifact_is_a_mixture_of_patches(ps):
    """The file holds a mixture: shapes that fit, weights that sum to one, symmetric positive definite covariances."""
    mixture(ps)


@points(2, part="8a", hint="one Gaussian is far below; ten contrast levels, or a few trained components, get there")
def test_unseen_patches_are_likely(ps):
    """Patches of photographs that nobody trained on are likely under your mixture (first threshold)."""
    nats = mean_log_likelihood(hidden_coefficients(), *mixture(ps))
    ps.measure("nats per unseen patch", nats)
    expect_true(nats >= HALF, "the likelihood of unseen patches is too low: more components, or more patches")


@points(3, part="8a", hint="20 components trained to convergence on the full training patches are enough")
def test_unseen_patches_are_very_likely(ps):
    """Patches of photographs that nobody trained on are very likely under your mixture (second threshold)."""
    nats = mean_log_likelihood(hidden_coefficients(), *mixture(ps))
    expect_true(nats >= FULL, "good, but unseen patches can be more likely: more components, patches or iterations")
