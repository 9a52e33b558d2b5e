"""Hidden tests of question 8: four models, judged on digits that nobody trains on, points and codes that nobody has.

The digits, the reader that judges samples, and where both are from: `../digits/data/README.md`. How the thresholds were
chosen: the README of the reference artifacts.
"""

import numpy as np
import torch
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from autograder.hidden.digits.images import hidden_digits
from autograder.hidden.digits.reader import read, variety
from autograder.hidden.ps2_latent_variable.handed_in import Autoencoder, DigitGenerator, PlaneFlow, RingGenerator
from autograder.testing import Unexpected, expect_true, measured, normal, points, uniform

VAE, FLOW, RING, DIGITS = (f"ps2_{name}.safetensors" for name in ("vae", "moons", "ring", "digits"))
BOUND_HALF, BOUND_FULL = 112.0, 105.0  # -ELBO in nats per digit
GAP_HALF, GAP_FULL = 0.30, 0.10  # nats per point above the true density
GOOD_HALF, GOOD_FULL = 0.55, 0.75  # share of points within three standard deviations of a mode
AGREE_HALF, AGREE_FULL = 0.60, 0.80  # share of samples in which the reader sees the label


def negative_bound(model, rng):
    """Mean -ELBO of the hidden digits, binarised and coded by draws of this test, two codes each."""
    grey = hidden_digits()[0].flatten(1).double()
    x = (uniform(rng, *grey.shape) < grey).double()
    codes = [normal(rng, len(x), model.L).split(200) for _ in range(2)]  # some at a time: a container's memory is small
    bounds = [model.bound(*some) for eps in codes for some in zip(x.split(200), eps, strict=True)]
    return -torch.cat(bounds).mean().item()


def moon_points(rng, n):
    """Points (n, 2) of the two half circles with noise 0.1."""
    angle, upper = np.pi * rng.random(n), rng.random(n) < 0.5
    arc = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.where(upper[:, None], arc - [0.5, 0.25], [0.5, 0.25] - arc) + 0.1 * rng.standard_normal((n, 2))


def moon_log_density(x, arcs=300):
    """The true log-density (n,) at points x (n, 2), by Gaussians on a fine grid of angles."""
    angle = np.pi * (np.arange(arcs) + 0.5) / arcs
    arc = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    centres = np.concatenate([arc - [0.5, 0.25], [0.5, 0.25] - arc])
    some = [logsumexp(-cdist(part, centres, "sqeuclidean") / 0.02, axis=1) for part in np.array_split(x, 10)]
    return np.concatenate(some) - np.log(len(centres) * 2 * np.pi * 0.01)


def gap(model, rng):
    """By how many nats per point the flow's density of new points is below the true one: an estimate of a KL."""
    x = moon_points(rng, 4000)
    return moon_log_density(x).mean() - model.log_prob(torch.from_numpy(x)).mean().item()


def on_the_ring(model, rng):
    """How many modes have their share, the share of good points, and the typical spread within a mode.

    A mode has its share when at least one point in 500 is good and there. The spread is the median over modes of the
    points' standard deviation per coordinate; that of the data is 0.1.
    """
    x = model.points(normal(rng, 4000, model.L))
    angle = torch.arange(8) * torch.pi / 4
    distance, mode = torch.cdist(x, 2 * torch.stack([angle.cos(), angle.sin()], dim=1).double()).min(1)
    good = distance <= 0.3
    own = [x[good & (mode == k)] for k in range(8)]
    spreads = [each.std(0).mean().item() for each in own if len(each) >= len(x) / 500]
    return len(spreads), good.double().mean().item(), float(np.median(spreads or [0.0]))


def on_demand(model, rng):
    """The share of samples in which the reader sees their label, and their variety relative to real digits."""
    y = torch.arange(10).repeat_interleave(60)
    images = model.images(normal(rng, len(y), model.L), y)
    real, labels = hidden_digits()
    relative = torch.tensor([variety(images[y == k]) / variety(real[labels == k]) for k in range(10)])
    return (read(images) == y).double().mean().item(), relative.median().item()


def expect_spread(modes, spread):
    """Nearly all modes have points, and these are no single points."""
    expect_true(modes >= 7, "points in at least seven of the eight modes: has the generator lost some?")
    expect_true(spread >= 0.02, "within a mode the points are all but equal: a real mode has a spread of 0.1")


def expect_varied(variety):
    """Samples of a label differ."""
    if not variety >= 0.5:  # NaN is not varied either
        raise Unexpected("wrong value", "samples of one label are all but equal: does the generator use its code?")


@points(1, part="8a", hint="the given networks, trained on all of MNIST; copies of training digits are not enough")
def test_hidden_digits_are_likely_under_the_autoencoder(ps, rng):
    """Digits that nobody trained on cost at most 112 nats under your autoencoder."""
    nats = measured(negative_bound, Autoencoder, ps.artifact(VAE), rng)
    expect_true(nats <= BOUND_HALF, "the bound on hidden digits is too low: was it trained with QUICK = False?")


@points(1, part="8a", hint="half of the full training gets there, if the bound is right")
def test_hidden_digits_are_very_likely_under_the_autoencoder(ps, rng):
    """Digits that nobody trained on cost at most 105 nats under your autoencoder."""
    nats = measured(negative_bound, Autoencoder, ps.artifact(VAE), rng)
    expect_true(nats <= BOUND_FULL, "good, but the bound on hidden digits can be tighter: more epochs, more digits")


@points(1, part="8b", hint="the networks of all layers in their order, trained by the exact likelihood")
def test_the_flow_is_near_the_moons(ps, rng):
    """Your flow codes new points of the moons with at most 0.3 nats more than the true density needs."""
    expect_true(
        measured(gap, PlaneFlow, ps.artifact(FLOW), rng) <= GAP_HALF, "the flow's density is far from that of the moons"
    )


@points(1, part="8b", hint="half of the full training gets there")
def test_the_flow_is_very_near_the_moons(ps, rng):
    """Your flow codes new points of the moons with at most 0.1 nats more than the true density needs."""
    expect_true(
        measured(gap, PlaneFlow, ps.artifact(FLOW), rng) <= GAP_FULL, "near, but a longer training comes much nearer"
    )


@points(1, part="8c", hint="the generator of a game that has been played for long, with codes from a standard normal")
def test_most_points_lie_on_the_ring(ps, rng):
    """Your generator reaches seven modes or more, with 55 % good points, which differ within a mode."""
    modes, good, spread = measured(on_the_ring, RingGenerator, ps.artifact(RING), rng)
    expect_spread(modes, spread)
    expect_true(good >= GOOD_HALF, "too many points lie between the modes: play for longer")


@points(1, part="8c", hint="half of the full training gets there")
def test_nearly_all_points_lie_on_the_ring(ps, rng):
    """Your generator reaches seven modes or more, with 75 % good points, which differ within a mode."""
    modes, good, spread = measured(on_the_ring, RingGenerator, ps.artifact(RING), rng)
    expect_spread(modes, spread)
    expect_true(good >= GOOD_FULL, "many points lie in modes, but not yet three of four")


@points(2, part="8d", hint="the generator in eval mode, told a label, draws that digit, and not always the same one")
def test_samples_show_their_labels(ps, rng):
    """In 60 % of your generator's digits a network that reads digits sees the label, and digits of a label differ."""
    agree, varied = measured(on_demand, DigitGenerator, ps.artifact(DIGITS), rng)
    expect_varied(varied)
    expect_true(agree >= AGREE_HALF, "too few samples show the digit that was asked for")


@points(2, part="8d", hint="half of the full training gets there")
def test_nearly_all_samples_show_their_labels(ps, rng):
    """In 80 % of your generator's digits a network that reads digits sees the label, and digits of a label differ."""
    agree, varied = measured(on_demand, DigitGenerator, ps.artifact(DIGITS), rng)
    expect_varied(varied)
    expect_true(agree >= AGREE_FULL, "most samples show the digit that was asked for, but not yet four of five")
