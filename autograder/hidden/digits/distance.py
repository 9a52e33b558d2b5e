"""How far a set of images is from real digits, in what the reader sees of them."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autograder.hidden.digits.images import hidden_digits
from autograder.hidden.digits.reader import features


def frechet(images: Tensor) -> float:
    """The Frechet distance (Heusel et al., 2017, eq. 6) of images (B, 1, 28, 28) in [0, 1] to the hidden digits.

    Both are described by the mean and covariance of the reader's 48 features, which are first divided by their root
    mean square over the hidden digits, so that the number does not hang on the reader's scale.
    """
    real = features(hidden_digits()[0]).double().numpy()
    scale = np.sqrt(np.mean(real**2))  # over all features
    drawn = features(images).double().numpy()
    m1, m2 = real.mean(0) / scale, drawn.mean(0) / scale
    C1, C2 = np.cov(real.T) / scale**2, np.cov(drawn.T) / scale**2
    return float(np.sum((m1 - m2) ** 2) + np.trace(C1) + np.trace(C2) - 2 * trace_of_root(C1, C2))


def trace_of_root(C1: NDArray[np.float64], C2: NDArray[np.float64]) -> float:
    """The trace of (C1 C2)^(1/2) for covariances, which may be singular: some features may always be 0."""
    values, vectors = np.linalg.eigh(C1)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    return float(np.sqrt(np.linalg.eigvalsh(root @ C2 @ root).clip(0)).sum())


def in_unit(images: Tensor) -> Tensor:
    """Images with values in [-1, 1] as the reader wants them, in [0, 1]."""
    return ((images + 1) / 2).clamp(0, 1).to(torch.float32)
