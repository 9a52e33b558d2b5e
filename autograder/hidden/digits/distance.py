"""How far a set of images is from real digits, in what the reader sees of them."""

import numpy as np
import torch
from scipy.linalg import sqrtm
from torch import Tensor

from autograder.hidden.digits.images import hidden_digits
from autograder.hidden.digits.reader import features


def frechet(images: Tensor) -> float:
    """The Frechet distance (Heusel et al., 2017, eq. 6) of images (B, 1, 28, 28) in [0, 1] to the hidden digits.

    Both are described by the mean and covariance of the reader's 48 features, which are first divided by their root
    mean square over the hidden digits, so that the number does not hang on the reader's scale.
    """
    real = features(hidden_digits()[0]).double().numpy()
    scale = np.sqrt(np.mean(real**2))
    drawn = features(images).double().numpy()
    m1, m2 = real.mean(0) / scale, drawn.mean(0) / scale
    C1, C2 = np.cov(real.T) / scale**2, np.cov(drawn.T) / scale**2
    crossed = np.trace(sqrtm(C1 @ C2).real)
    return float(np.sum((m1 - m2) ** 2) + np.trace(C1) + np.trace(C2) - 2 * crossed)


def in_unit(images: Tensor) -> Tensor:
    """Images with values in [-1, 1] as the reader wants them, in [0, 1]."""
    return ((images + 1) / 2).clamp(0, 1).to(torch.float32)
