"""Losses of the five adversarial games and their slopes, written per logit in NumPy; an oracle and known-good versions.

`logaddexp(0, a)` is log(1 + exp(a)) without overflow, so that -log sigma(a) is `logaddexp(0, -a)`.
"""

import numpy as np
from scipy.special import expit

KINDS = ("minimax", "non_saturating", "least_squares", "wasserstein", "hinge")


def real_terms(a, kind):
    """What the discriminator pays for real logits, one by one."""
    return {
        "minimax": np.logaddexp(0, -a),
        "non_saturating": np.logaddexp(0, -a),
        "least_squares": 0.5 * (a - 1) ** 2,
        "wasserstein": -a,
        "hinge": np.maximum(0, 1 - a),
    }[kind]


def fake_terms(a, kind):
    """What the discriminator pays for fake logits, one by one."""
    return {
        "minimax": np.logaddexp(0, a),
        "non_saturating": np.logaddexp(0, a),
        "least_squares": 0.5 * a**2,
        "wasserstein": a,
        "hinge": np.maximum(0, 1 + a),
    }[kind]


def generator_terms(a, kind):
    """What the generator pays for its logits, one by one."""
    return {
        "minimax": -np.logaddexp(0, a),
        "non_saturating": np.logaddexp(0, -a),
        "least_squares": 0.5 * (a - 1) ** 2,
        "wasserstein": -a,
        "hinge": -a,
    }[kind]


def real_slopes(a, kind):
    """Derivatives of `real_terms`."""
    return {
        "minimax": -expit(-a),
        "non_saturating": -expit(-a),
        "least_squares": a - 1,
        "wasserstein": -np.ones_like(a),
        "hinge": -np.where(a < 1, 1.0, 0.0),
    }[kind]


def fake_slopes(a, kind):
    """Derivatives of `fake_terms`."""
    return {
        "minimax": expit(a),
        "non_saturating": expit(a),
        "least_squares": a,
        "wasserstein": np.ones_like(a),
        "hinge": np.where(a > -1, 1.0, 0.0),
    }[kind]


def generator_slopes(a, kind):
    """Derivatives of `generator_terms`."""
    return {
        "minimax": -expit(a),
        "non_saturating": -expit(-a),
        "least_squares": a - 1,
        "wasserstein": -np.ones_like(a),
        "hinge": -np.ones_like(a),
    }[kind]


def good_d_loss(real_logits, fake_logits, kind):
    """A discriminator's loss for `ps.provide`: a mistake in question 5 costs nothing in question 6."""
    import torch

    log_sigmoid = torch.nn.functional.logsigmoid
    if kind == "least_squares":
        return ((real_logits - 1) ** 2).mean() / 2 + (fake_logits**2).mean() / 2
    if kind == "wasserstein":
        return fake_logits.mean() - real_logits.mean()
    if kind == "hinge":
        return (1 - real_logits).clamp(min=0).mean() + (1 + fake_logits).clamp(min=0).mean()
    return -log_sigmoid(real_logits).mean() - log_sigmoid(-fake_logits).mean()


def good_g_loss(fake_logits, kind):
    """A generator's loss for `ps.provide`."""
    import torch

    log_sigmoid = torch.nn.functional.logsigmoid
    if kind == "least_squares":
        return ((fake_logits - 1) ** 2).mean() / 2
    if kind == "minimax":
        return log_sigmoid(-fake_logits).mean()
    return -log_sigmoid(fake_logits).mean() if kind == "non_saturating" else -fake_logits.mean()
