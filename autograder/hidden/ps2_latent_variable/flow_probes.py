"""Networks and layers that tests of flows lend to the student's code, and the Jacobians that they read off it.

`coupling_net` and `affine_coupling` are for `ps.provide`, so only their source travels; they judge nothing.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from autograder.testing import expect_true, normal


def coupling_net(W1, b1, W2, b2):
    """A dense network from (B, C, ...) to (B, 2 C, ...): every output depends on every input."""

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.W1, self.b1, self.W2, self.b2 = (torch.nn.Parameter(w.clone()) for w in (W1, b1, W2, b2))

        def forward(self, x):
            hidden = torch.tanh(x.flatten(1) @ self.W1.mT + self.b1)
            return (hidden @ self.W2.mT + self.b2).reshape(len(x), 2 * x.shape[1], *x.shape[2:])

    return Net()


def affine_coupling(mask, net):
    """A coupling layer that keeps the contract, for questions that build on it."""

    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mask", mask.clone())
            self.net = net

        def forward(self, x):
            s, t = self.net(x * self.mask).chunk(2, dim=1)
            free = 1 - self.mask
            return self.mask * x + free * (x * s.exp() + t), (free * s).sum(tuple(range(1, x.ndim)))

        def inverse(self, z):
            s, t = self.net(z * self.mask).chunk(2, dim=1)
            return self.mask * z + (1 - self.mask) * (z - t) / s.exp()

    return Layer()


def weights(rng, *shape, hidden=7, size=1.0):
    """Random weights of `coupling_net` for examples of this shape; outputs of about `size`."""
    D = int(np.prod(shape))
    return (
        normal(rng, hidden, D) / D**0.5,
        0.5 * normal(rng, hidden),
        size * normal(rng, 2 * D, hidden) / hidden**0.5,
        0.5 * size * normal(rng, 2 * D),
    )


def two(got, sentence):
    """The two results of a layer, or a sentence."""
    expect_true(isinstance(got, (tuple, list)) and len(got) == 2, sentence)
    return got


def log_abs_det(jacobians) -> NDArray[np.float64]:
    """log |det J| of each of the matrices (B, D, D)."""
    return np.linalg.slogdet(np.asarray(jacobians))[1]
