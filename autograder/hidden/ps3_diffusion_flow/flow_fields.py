"""Velocity fields in torch that tests of flow matching send to the worker; what they know is in closed_forms.

The path is x_t = (1 - t) x_0 + t x_1 with x_0 ~ N(0, I), independent of x_1. Functions named `..._field` are for
`ps.provide`: only their source travels, and they judge nothing.
"""

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
