"""What a perfect network would answer, in NumPy and float64: data N(m, S) and mixtures, noisy as x = a data + b noise.

Data and noise are jointly Gaussian with x, so the conditional means are linear in x (Bishop, PRML, eq. 2.81); mixtures
average them with the posterior weights of their components. The loops are over examples and components, on purpose:
these are oracles, and share nothing with the vectorised class that the notebook gives to students.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from autograder.testing import normal, simplex, spd

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Data:
    """A mixture with weights pi (K,), means (K, D) and covariances (K, D, D); with K = 1 it is N(m, S)."""

    pi: Array
    mus: Array
    Sigmas: Array

    def posterior(self, x: Array, a: float, b: float) -> Array:
        """The probabilities (K,) of the components of one noisy example x (D,)."""
        joint = self._log_joint(x, a, b)
        return np.exp(joint - logsumexp(joint))

    def logpdf(self, x: Array, a: float, b: float) -> float:
        """The log-density of one noisy example, in nats."""
        return float(logsumexp(self._log_joint(x, a, b)))

    def data(self, x: Array, a: float, b: float) -> Array:
        """E[data | x], (D,), for one noisy example x (D,)."""
        each = [m + a * S @ self._solve(S, x - a * m, a, b) for m, S in zip(self.mus, self.Sigmas, strict=True)]
        return self.posterior(x, a, b) @ np.array(each)

    def noise(self, x: Array, a: float, b: float) -> Array:
        """E[noise | x], (D,), for one noisy example."""
        each = [b * self._solve(S, x - a * m, a, b) for m, S in zip(self.mus, self.Sigmas, strict=True)]
        return self.posterior(x, a, b) @ np.array(each)

    def score(self, x: Array, a: float, b: float) -> Array:
        """The gradient of the log-density of one noisy example."""
        each = [-self._solve(S, x - a * m, a, b) for m, S in zip(self.mus, self.Sigmas, strict=True)]
        return self.posterior(x, a, b) @ np.array(each)

    def velocity(self, x: Array, t: float) -> Array:
        """E[data - noise | x] for x = (1 - t) noise + t data, t from 0 to 1."""
        each = []
        for m, S in zip(self.mus, self.Sigmas, strict=True):
            each.append(m + (t * S - (1 - t) * np.eye(len(m))) @ self._solve(S, x - t * m, t, 1 - t))
        return self.posterior(x, t, 1 - t) @ np.array(each)

    @staticmethod
    def _solve(S: Array, deviation: Array, a: float, b: float) -> Array:
        return np.linalg.solve(a**2 * S + b**2 * np.eye(len(S)), deviation)

    def _log_joint(self, x: Array, a: float, b: float) -> Array:
        noisy = [a**2 * S + b**2 * np.eye(len(x)) for S in self.Sigmas]
        densities = [multivariate_normal(a * m, C).logpdf(x) for m, C in zip(self.mus, noisy, strict=True)]
        return np.log(self.pi) + np.array(densities)


def gaussian(m: Array | torch.Tensor, S: Array | torch.Tensor) -> Data:
    """Data from N(m (D,), S (D, D))."""
    return Data(np.ones(1), np.asarray(m, np.float64)[None], np.asarray(S, np.float64)[None])


def draw_gaussian(rng: np.random.Generator, D: int) -> Data:
    """A Gaussian with correlations, away from the origin."""
    return gaussian(1.5 * normal(rng, D).numpy(), spd(rng, D).numpy())


def draw_mixture(rng: np.random.Generator, K: int, D: int) -> Data:
    """A mixture whose components overlap."""
    return Data(simplex(rng, K).numpy(), 1.5 * normal(rng, K, D).numpy(), 0.3 * spd(rng, D, K).numpy())


def draw_alpha_bar(rng: np.random.Generator, T: int) -> torch.Tensor:
    """A schedule (T,), float64: falling from about 0.97 to about 0.02, with steps of unlike sizes, all large."""
    steps = 0.4 + rng.random(T)
    share = 0.03 + 0.95 * np.cumsum(steps) / steps.sum()
    return torch.from_numpy(1 - share)


def extreme_alpha_bar(T: int) -> torch.Tensor:
    """A schedule (T,), float64, with the ends of those in use, where guards against zero show: 1 - 1e-4 and 1e-6."""
    return torch.sigmoid(torch.linspace(9.2, -13.8, T, dtype=torch.float64))


def previous(alpha_bar: torch.Tensor) -> Array:
    """alpha_bar at t - 1 for t = 0..T-1: clean data, where all of the variance is left, comes before time 0."""
    return np.concatenate([np.ones(1), alpha_bar.numpy()[:-1]])


def along_the_width(shape: tuple[int, ...]) -> str | None:
    """The hint for a batch as large as its width, where a time in the wrong dimension raises no error; else None.

    For loops that have passed another shape: what fails at this one only was broadcast.
    """
    if len(shape) < 2 or shape[0] != shape[-1]:
        return None
    return "here the batch is as large as the width: are the times (B,) broadcast along the width, and not by example?"


def per_example(values: Array, x: torch.Tensor) -> Array:
    """values (B,) as an array that multiplies each example of x (B, ...)."""
    return np.asarray(values, np.float64).reshape(-1, *[1] * (x.ndim - 1))


def rule(f, a, h, method):
    """The quadrature rule that one step from a to a + h is, for a function of the time."""
    if method == "euler":
        return h * f(a)
    if method == "heun":
        return h / 2 * (f(a) + f(a + h))
    return h / 6 * (f(a) + 4 * f(a + h / 2) + f(a + h))


def jacobians(W, b, x, t):
    """Jacobians (B, D, D) of the wavy field."""
    rows = []
    for point, moment in zip(x.flatten(1).numpy(), t.tolist(), strict=True):
        rows.append((1 - np.tanh(W.numpy() @ point + moment * b.numpy()) ** 2)[:, None] * W.numpy())
    return np.stack(rows)


def along(eps, x1, mean, S):
    """What log p_1 of N(mean, S) becomes (B,) when the trace of each Jacobian is estimated along eps (B, D).

    The Jacobians of the field share the axes of S. On an axis with variance s^2, x1 comes from (x1 - mean) / s, and the
    derivative (t s^2 - (1 - t)) / ((1 - t)^2 + t^2 s^2) has the integral log s from 0 to 1.
    """
    variance, axes = np.linalg.eigh(S)
    start = (x1 - mean) @ axes / np.sqrt(variance)
    return norm.logpdf(start).sum(1) - (eps @ axes) ** 2 @ np.log(variance) / 2
