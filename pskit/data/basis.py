"""An orthonormal basis for patches without their mean: the two-dimensional cosine transform (Ahmed et al., 1974)."""

import math

import torch
from torch import Tensor


def dct_basis(p: int = 8) -> Tensor:
    """Orthonormal 2-D DCT of p x p patches without the constant one: (p * p, p * p - 1) float64, a column per pattern.

    `P @ dct_basis(p)` are the coefficients of the patches P (N, p * p), each read row by row.
    """
    n = torch.arange(p, dtype=torch.float64)
    waves = math.sqrt(2 / p) * torch.cos(math.pi / p * (n[:, None] + 0.5) * n)  # (p, p): pixel, frequency
    waves[:, 0] /= math.sqrt(2)
    return torch.kron(waves, waves)[:, 1:].contiguous()


def to_ac(P: Tensor) -> tuple[Tensor, Tensor]:
    """Split patches P (N, p * p) into coefficients (N, p * p - 1) and means (N, 1)."""
    return P @ dct_basis(_side(P)).to(P), P.mean(dim=1, keepdim=True)


def from_ac(coefficients: Tensor, means: Tensor) -> Tensor:
    """Patches (N, p * p) from coefficients (N, p * p - 1) and means (N, 1): undoes `to_ac`."""
    p = math.isqrt(coefficients.shape[1] + 1)
    return coefficients @ dct_basis(p).to(coefficients).T + means


def _side(P: Tensor) -> int:
    return math.isqrt(P.shape[1])
