"""Velocity fields, a solver and a divergence in torch that tests of flow matching send to the worker.

The path is x_t = (1 - t) x_0 + t x_1 with x_0 ~ N(0, I), independent of x_1. All but `law_of` are for `ps.provide`:
only their source travels, and they judge nothing; what the tests know is in closed_forms.
"""

import torch

from autograder.testing import normal, simplex, spd


def law_of(rng, K, D):
    """Weights, means, covariances of a mixture in general position."""
    return simplex(rng, K), 2 * normal(rng, K, D), spd(rng, D, K)


def good_fm_pair(x0, x1, t):
    s = t.reshape(-1, *[1] * (x0.ndim - 1))
    return x0 + s * (x1 - x0), x1 - x0


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


def good_divergence(v, x, t, eps=None):
    with torch.enable_grad():
        x = x.detach().clone().requires_grad_()
        out = v(x, t).flatten(1)
        if eps is not None:
            return (torch.autograd.grad((out * eps.flatten(1)).sum(), x)[0] * eps).flatten(1).sum(1)
        rows = [torch.autograd.grad(out[:, i].sum(), x, retain_graph=True)[0].flatten(1) for i in range(out.shape[1])]
    return sum(row[:, i] for i, row in enumerate(rows))


def good_ode_solve(v, x, n, method="euler", start=0.0, end=1.0):
    h, states = (end - start) / n, [x]
    for i in range(n):

        def at(y, shift, i=i):
            return v(y, torch.full((len(y),), start + (i + shift) * h, dtype=y.dtype))

        k1 = at(x, 0)
        if method == "euler":
            x = x + h * k1
        elif method == "heun":
            x = x + h / 2 * (k1 + at(x + h * k1, 1))
        else:
            k2 = at(x + h / 2 * k1, 0.5)
            k3 = at(x + h / 2 * k2, 0.5)
            x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + at(x + h * k3, 1))
        states.append(x)
    return torch.stack(states)
