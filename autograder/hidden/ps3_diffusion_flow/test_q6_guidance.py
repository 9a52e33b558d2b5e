"""Question 6. Oracles: loops over examples, a model that tells its label, finite differences of a log-density.

The models live in the worker and write down what they were asked; what they answer is computed here one example at a
time.
"""

import math

import numpy as np
import torch
from scipy.special import logsumexp

from autograder.testing import expect_close, expect_shape, expect_true, non_contiguous, normal, points, uniform


def labels(rng, B, n):
    """Labels (B,) below n."""
    return torch.from_numpy(rng.integers(0, n, size=B))


@points(1, part="6a", hint="each example decides by its own uniform number: below p the label is lost")
def test_labels_are_lost_where_u_is_below_p(ps, rng):
    """Exactly the examples whose uniform number is below p get the null label, whatever number that is."""
    for B, null, p in ((9, 10, 0.4), (1, 3, 0.5), (6, 0, 0.7), (8, 57, 0.15)):
        y, u = labels(rng, B, 10) + 1, uniform(rng, B)
        if B > 1:
            u[0], u[-1] = p / 2, (1 + p) / 2  # some of either kind
        want = torch.tensor(
            [null if number < p else label for number, label in zip(u.tolist(), y.tolist(), strict=True)]
        )
        expect_close(ps.drop_labels(y, null, p, u), want)
        expect_close(ps.drop_labels(y, null, p, u.float()), want)
    y, u = labels(rng, 7, 10), 0.3 * uniform(rng, 7)
    expect_close(
        ps.drop_labels(y, 12, 0.3, u), torch.full((7,), 12), "p is a chance, not a share: here all are below it"
    )


@points(
    1, part="6a", hint="p = 0 keeps all labels and p = 1 none; labels stay whole numbers, and the given ones unchanged"
)
def test_ends_and_types_are_respected(ps, rng):
    """p = 0 drops nothing, even at u = 0; p = 1 drops all; labels stay int64 and the given tensor is not changed."""
    for B in (5, 1):
        y, u = labels(rng, B, 7), uniform(rng, B)
        u[0] = 0.0
        expect_close(ps.drop_labels(y, 7, 0.0, u), y, "p = 0 drops nothing, even at u = 0")
        expect_close(ps.drop_labels(y, 7, 1.0, u), torch.full((B,), 7), "p = 1 drops every label")
        got, after = ps.run(probe_in_place, y, u)
        expect_close(got, torch.full((B,), 9))
        expect_close(after, y, "the labels are needed again: return new ones")


def probe_in_place(ns, y, u):
    """The labels dropped with p = 1, and the given tensor after that."""
    got = ns.drop_labels(y, 9, 1.0, u)
    return got, y


def probe_guided(ns, wave, xt, t, y, null, w):
    """cfg of sin(wave x) (1 + t) + (y + 2) cos(x), the labels and the calls that the model saw, the inputs after."""
    seen = []

    def model(x, t, y):
        seen.append(y.flatten().tolist())
        s, label = (each.reshape(-1, *[1] * (x.ndim - 1)).to(x) for each in (t, y))
        return torch.sin(wave * x) * (1 + s) + (label + 2) * torch.cos(x)

    return ns.cfg(model, xt, t, y, null, w), [label for call in seen for label in call], len(seen), [xt, t, y]


def guided(wave, xt, t, y, null, w):
    """The same, one example at a time."""
    rows = []
    for x, s, label in zip(xt.numpy(), t.tolist(), y.tolist(), strict=True):
        with_label, without = (np.sin(wave * x) * (1 + s) + (k + 2) * np.cos(x) for k in (label, null))
        rows.append((1 - w) * without + w * with_label)
    return np.stack(rows)


@points(1, part="6b", hint="u + w (c - u): w = 0 is unconditional, w = 1 conditional, and w = 2 as far again beyond")
def test_weight_one_is_conditional_and_more_extrapolates(ps, rng):
    """A model that tells its label shows the weights: w of the label and 1 - w of null, for w from -1 to 7."""
    for shape, null in (((4, 3), 10), ((1, 1, 2, 3), 5), ((3, 2, 3, 3), 0), ((2, 5, 2, 2), 12)):
        y = labels(rng, shape[0], 9) + 1
        for w in (1.0, 0.0, 2.0, 7.0, 0.5, -1.0):
            got = ps.run(probe_labels, normal(rng, *shape), torch.arange(shape[0]), y, null, w)
            told = (w * y.double() + (1 - w) * null).reshape(-1, *[1] * (len(shape) - 1)).expand(shape)
            expect_close(got, told, "w counts from the unconditional prediction: u + w (c - u), without 1 + w")


def probe_labels(ns, xt, t, y, null, w):
    """cfg of a model that returns its label everywhere."""
    return ns.cfg(lambda x, t, y: y.reshape(-1, *[1] * (x.ndim - 1)).to(x) + 0 * x, xt, t, y, null, w)


@points(
    1, part="6b", hint="in the doubled batch every example keeps its own x and t, and halves go back to their places"
)
def test_every_example_keeps_its_own_image_and_time(ps, rng):
    """Every example is guided at its own image, time and label, for whole and for real times, in its dtype."""
    for shape, w in (((4, 3), 2.5), ((5, 1, 3, 5), 3.0), ((1, 2), 1.7), ((2, 2, 2, 2), 0.4)):
        B, wave = shape[0], float(rng.uniform(0.5, 1.5))
        xt, y = normal(rng, *shape), labels(rng, B, 10)
        for t in (torch.from_numpy(rng.permutation(50)[:B]), uniform(rng, B)):
            want = guided(wave, xt, t, y, 10, w)
            expect_close(ps.run(probe_guided, wave, non_contiguous(xt), t, y, 10, w)[0], want)
            single = ps.run(probe_guided, wave, xt.float(), t, y, 10, w)[0]
            expect_close(single, torch.from_numpy(want).float(), rtol=1e-3, atol=1e-3)


@points(
    1, part="6b", hint="two predictions for each example, one with its label and one with null; nothing else is asked"
)
def test_each_example_is_asked_twice(ps, rng):
    """The model sees each example once with its label and once with null, in one call or two, and gradients pass."""
    for B in (4, 1, 3):
        xt, t, y = normal(rng, B, 2, 3), torch.from_numpy(rng.permutation(9)[:B]), labels(rng, B, 9)
        got, seen, calls, after = ps.run(probe_guided, 1.0, xt, t, y, 11, 4.0)
        expect_close(got, guided(1.0, xt, t, y, 11, 4.0))
        expect_true(sorted(seen) == sorted([*y.tolist(), *[11] * B]), "once with its label, once with null")
        expect_true(calls <= 2, "one call with both halves, or two calls")
        same = all(torch.equal(left, given) for left, given in zip(after, (xt, t, y), strict=True))
        expect_true(same, "the next step needs x, t and the labels again: do not write into them")
        value = float(rng.uniform(0.5, 1.5))
        slope = ps.run(probe_slope, value, xt, t, y, 11, 4.0)
        expect_true(slope is not None, "the prediction must hang on the model's output: no detach, no no_grad")
        expect_close(slope, 4.0 * float((y - 11).sum()) * 6 + 11.0 * 6 * B, "gradients reach the model through both")


def probe_slope(ns, value, xt, t, y, null, w):
    """The derivative of the sum of cfg in a factor of a model that returns factor * label."""
    factor = torch.tensor(value, dtype=torch.float64, requires_grad=True)

    def model(x, t, y):
        return factor * y.reshape(-1, 1, 1).double() + 0 * x

    total = ns.cfg(model, xt, t, y, null, w).sum()
    if not total.requires_grad:
        return None
    return torch.autograd.grad(total, factor)[0]


def probe_mixture(ns, means, variance, owner, xt, t, alpha_bar, y, null, w):
    """cfg of the exact noise predictor of round Gaussians with labels."""

    def model(x, t, y):
        share = alpha_bar[t][:, None]
        spread = share * variance + 1 - share  # (B, 1)
        away = x[:, None] - share[..., None].sqrt() * means  # (B, K, D)
        fits = (y[:, None] == null) | (y[:, None] == owner)
        log_share = (-0.5 * away.square().sum(2) / spread).masked_fill(~fits, -torch.inf)
        return (1 - share).sqrt() * (log_share.softmax(1)[..., None] * away).sum(1) / spread

    return ns.cfg(model, xt, t, y, null, w)


@points(
    1, part="6b", hint="with exact predictions, guidance is the slope of log p(x) plus w times that of log p(y given x)"
)
def test_guidance_tilts_by_the_probability_of_the_label(ps, rng):
    """With the exact noise of a mixture, guidance is minus b times the gradient of log p_t(x) + w log p_t(y | x)."""
    for B, D, w in ((5, 2, 3.0), (3, 1, 0.5), (1, 3, 2.0)):
        K, variance = 6, float(rng.uniform(0.2, 1))
        means, owner = 1.5 * normal(rng, K, D), torch.arange(K) % 3
        xt, y, t = normal(rng, B, D), labels(rng, B, 3), torch.from_numpy(rng.integers(0, 8, size=B))
        alpha_bar = torch.linspace(0.95, 0.1, 8, dtype=torch.float64)
        got = ps.run(probe_mixture, means, variance, owner, xt, t, alpha_bar, y, 3, w)
        expect_shape(got, B, D)
        want = [
            tilt(x, a, label, means.numpy(), variance, owner.numpy(), w)
            for x, a, label in zip(xt.numpy(), alpha_bar[t].tolist(), y.tolist(), strict=True)
        ]
        expect_close(got, np.stack(want), rtol=1e-4, atol=1e-6)


def tilt(x, share, label, means, variance, owner, w):
    """-b times the gradient of log p_t(x) + w log p_t(label | x), by central differences."""

    def value(point):
        log_each = -0.5 * ((point - math.sqrt(share) * means) ** 2).sum(1) / (share * variance + 1 - share)
        whole = logsumexp(log_each)
        return whole + w * (logsumexp(log_each[owner == label]) - whole)

    h, D = 1e-5, len(x)
    slope = [(value(x + h * e) - value(x - h * e)) / (2 * h) for e in np.eye(D)]
    return -math.sqrt(1 - share) * np.array(slope)
