"""Autoregressive networks that tests of x3 lend to the student's code, and the same ones slowly in NumPy."""

import itertools

import numpy as np
import torch

from autograder.testing import normal


def good_made_masks(D, hidden):
    """Masks with every degree as evenly spread as the widths allow."""
    degrees = [torch.arange(1, D + 1)] + [torch.arange(width) % (D - 1) + 1 for width in hidden]
    masks = [(b.unsqueeze(1) >= a).float() for a, b in itertools.pairwise(degrees)]
    return [*masks, (degrees[0].unsqueeze(1) > degrees[-1]).float()]


def triangular_network(W, b, V, c, calls):
    """mu = tanh(x W^T) + b and alpha = tanh(x V^T) / 2 + c, W and V strictly lower triangular; notes each call."""

    def made(x):
        calls.append(len(x))
        return torch.tanh(x @ W.mT) + b, torch.tanh(x @ V.mT) / 2 + c

    return made


def triangular_weights(rng, D):
    """W, b, V, c of `triangular_network`."""
    return torch.tril(normal(rng, D, D), -1), normal(rng, D), torch.tril(normal(rng, D, D), -1), 0.5 * normal(rng, D)


def conditionals(weights, given):
    """mu and alpha (B, D), one example and one coordinate at a time, in NumPy."""
    W, b, V, c = (np.asarray(w) for w in weights)
    mu, alpha = np.zeros(given.shape), np.zeros(given.shape)
    for n, d in np.ndindex(*given.shape):
        earlier = np.asarray(given)[n, :d]
        mu[n, d] = np.tanh(W[d, :d] @ earlier) + b[d]
        alpha[n, d] = np.tanh(V[d, :d] @ earlier) / 2 + c[d]
    return mu, alpha
