"""Random inputs of hidden tests, all from the test's own generator."""

import numpy as np
import torch
from torch import Tensor


def normal(rng: np.random.Generator, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Standard normal draws of this shape."""
    return torch.from_numpy(rng.standard_normal(shape)).to(dtype)


def uniform(rng: np.random.Generator, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Draws from [0, 1) of this shape."""
    return torch.from_numpy(rng.random(shape)).to(dtype)


def simplex(rng: np.random.Generator, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Points of the probability simplex along the last dimension, none of them near its border."""
    return torch.softmax(normal(rng, *shape), dim=-1).to(dtype)


def spd(rng: np.random.Generator, D: int, *batch: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Symmetric positive definite matrices (*batch, D, D) with strong correlations and eigenvalues above 0.3."""
    A = normal(rng, *batch, D, D)
    matrices: Tensor = A @ A.mT / D**0.5 + 0.3 * torch.eye(D, dtype=torch.float64)
    return matrices.to(dtype)


def non_contiguous(x: Tensor) -> Tensor:
    """The same values, not contiguous in memory; with two dimensions or more, `view(-1)` refuses the tensor."""
    if x.dim() > 1:
        return x.transpose(0, -1).contiguous().transpose(0, -1)
    return torch.stack([x, torch.zeros_like(x)], dim=-1)[..., 0]
