"""A latent variable model about which everything is known: z ~ N(0, I), x ~ N(W z + b, s^2 I), probabilistic PCA.

W (D, L) has orthogonal columns, so that the posterior of z is a *diagonal* Gaussian, and an encoder can be exact. Then
log p(x | z) + log p(z) - log q(z | x) is log p(x) at every z (Tipping and Bishop, 1999, eq. 4 and 7).
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import multivariate_normal, norm
from torch import Tensor

from autograder.testing import normal


@dataclass(frozen=True)
class LinearGaussian:
    """The model, W (D, L), b (D,), and the noise's log-variance s2; all float64."""

    W: Tensor
    b: Tensor
    s2: float

    def log_evidence(self, x: Tensor) -> np.ndarray:
        """log p(x), (B,), by scipy."""
        cov = (self.W @ self.W.T).numpy() + np.exp(self.s2) * np.eye(len(self.b))
        return np.array([multivariate_normal(self.b.numpy(), cov).logpdf(row) for row in x.numpy()])

    def posterior(self) -> tuple[Tensor, Tensor, Tensor]:
        """A (L, D), c (L,) and log-variance (L,) of the exact encoder: mean A x + c."""
        noise = float(np.exp(self.s2))
        precision = 1 + (self.W**2).sum(0) / noise
        A = self.W.T / noise / precision[:, None]
        return A, -A @ self.b, -precision.log()

    def log_likelihood(self, x: Tensor, z: Tensor) -> np.ndarray:
        """log p(x | z), (B,), for x (B, D) and z (B, L), by scipy."""
        mean = (z @ self.W.T + self.b).numpy()
        return norm(mean, np.exp(self.s2 / 2)).logpdf(x.numpy()).sum(-1)


def draw_model(rng: np.random.Generator, D: int, L: int) -> LinearGaussian:
    """A model with orthogonal columns of different lengths."""
    basis = torch.linalg.qr(normal(rng, D, L)).Q
    lengths = torch.linspace(0.5, 2.5, L, dtype=torch.float64)
    return LinearGaussian(basis * lengths, normal(rng, D), 2 * float(np.log(0.4 + 0.4 * rng.random())))


def log_density(z: Tensor, mu: Tensor, logvar: Tensor) -> np.ndarray:
    """log N(z; mu, exp(logvar)), summed over the last dimension, by scipy."""
    return norm(mu.numpy(), np.exp(logvar.numpy() / 2)).logpdf(z.numpy()).sum(-1)
