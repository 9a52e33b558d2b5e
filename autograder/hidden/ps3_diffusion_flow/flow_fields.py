"""Velocity fields whose flows are known, for the tests of flow matching, and the same fields slowly in NumPy.

The path is x_t = (1 - t) x_0 + t x_1 with x_0 ~ N(0, I), independent of x_1. Functions named `..._field` are for
`ps.provide`: only their source travels, and they judge nothing.
"""

import math

import numpy as np
import torch


def mixture_field(weights, means, covariances):
    """v(x, t) of a mixture of normals at t = 1: weights (K,), means (K, D), covariances (K, D, D)."""

    def v(x, t):
        D = means.shape[1]
        eye = torch.eye(D, dtype=x.dtype, device=x.device)
        moment = t.reshape(-1, 1, 1, 1)  # (B, 1, 1, 1)
        C = (1 - moment) ** 2 * eye + moment**2 * covariances  # (B, K, D, D)
        away = x[:, None] - moment[..., 0] * means  # (B, K, D)
        white = torch.linalg.solve(C, away[..., None])  # (B, K, D, 1)
        log_share = weights.log() - 0.5 * ((away * white[..., 0]).sum(-1) + torch.linalg.slogdet(C).logabsdet)
        velocity = means + ((moment * covariances - (1 - moment) * eye) @ white)[..., 0]  # (B, K, D)
        return (log_share.softmax(1)[..., None] * velocity).sum(1)

    return v


def waves_field(W, b, c):
    """v(x, t) = tanh(W x + t b) + c for examples of any shape: every coordinate moves all of its example."""

    def v(x, t):
        moment = t.reshape(-1, 1)
        return (torch.tanh(x.flatten(1) @ W.mT + moment * b) + c).reshape(x.shape)

    return v


def moments_at(t, mean, covariance):
    """Mean (D,) and covariance (D, D) of x_t at the number t, for one normal at t = 1."""
    return t * mean, (1 - t) ** 2 * np.eye(len(mean)) + t**2 * covariance


def velocity(x, t, weights, means, covariances):
    """E[x_1 - x_0 | x_t = x] (D,) for one point x (D,) and one number t, by conditioning joint normals."""
    total, log_shares = [], []
    for weight, mean, covariance in zip(weights, means, covariances, strict=True):
        centre, C = moments_at(t, mean, covariance)
        cross = t * covariance - (1 - t) * np.eye(len(mean))  # Cov(x_1 - x_0, x_t)
        white = np.linalg.solve(C, x - centre)
        total.append(mean + cross @ white)
        log_shares.append(math.log(weight) - 0.5 * ((x - centre) @ white + np.linalg.slogdet(C)[1]))
    return shares(log_shares) @ np.array(total)


def score(x, t, weights, means, covariances):
    """The gradient (D,) of log p_t at one point x (D,): responsibilities times the components' scores."""
    total, log_shares = [], []
    for weight, mean, covariance in zip(weights, means, covariances, strict=True):
        centre, C = moments_at(t, mean, covariance)
        white = np.linalg.solve(C, x - centre)
        total.append(-white)
        log_shares.append(math.log(weight) - 0.5 * ((x - centre) @ white + np.linalg.slogdet(C)[1]))
    return shares(log_shares) @ np.array(total)


def shares(log_shares):
    """Responsibilities (K,) from their unnormalised logarithms."""
    raw = np.exp(np.array(log_shares) - max(log_shares))
    return raw / raw.sum()
