"""What tests of question 8e ask the worker to do with the student's log-density; nothing is judged here."""

import torch


def exact_density(ns, weights, means, covariances, x1, n, method, *eps):
    """log p_1 of the exact field, or its estimate, for points in the plane or small images, inside no_grad."""
    flat, kept = ns.mixture_field(weights, means, covariances), []

    def v(x, t):
        kept.append(x.shape == x1.shape)
        return flat(x.flatten(1), t).reshape(x.shape)

    with torch.no_grad():
        return ns.log_density(v, x1, n, method, *eps).detach(), all(kept)


def density_of_a_turn(ns, x1, n, method):
    """log p_1 of the field that turns the plane, whose divergence is 0."""
    return ns.log_density(lambda x, t: x.flip(1) * torch.tensor([-1.0, 1.0]).to(x), x1, n, method)
