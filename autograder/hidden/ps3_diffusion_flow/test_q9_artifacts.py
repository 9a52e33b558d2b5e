"""Hidden tests of question 9: two handed-in networks, judged on digits that nobody trains on and noise that nobody has.

The digits, the reader that judges samples, and where both are from: `../digits/data/README.md`. How the thresholds were
chosen: the README of the reference artifacts. All are one-sided: no better network fails.
"""

from autograder.hidden.ps3_diffusion_flow.judged import (
    agreement,
    distance,
    likeness,
    noise_error,
    samples,
    velocity_error,
)
from autograder.hidden.ps3_diffusion_flow.networks import HandedIn, ddim, heun
from autograder.testing import Unexpected, expect_true, points

DDPM, FLOW = "ps3_ddpm.safetensors", "ps3_flow.safetensors"
NOISE_HALF, NOISE_FULL = 0.070, 0.055  # mean squared error of the noise
VELOCITY_HALF, VELOCITY_FULL = 0.230, 0.195  # mean squared error of the velocity
NOISE_UNTOLD, VELOCITY_UNTOLD = 0.105, 0.300  # the same without a label; a null never trained: 0.16, 0.25 and up
DDIM_HALF, DDIM_FULL = 0.55, 0.75  # share of ten-step samples in which the reader sees the label
HEUN_HALF, HEUN_FULL = 0.75, 0.90  # the same for eight steps of Heun's method
FAR = 3.0  # Frechet distance to hidden digits; 100 real ones have 0.4 to 1
SAME = 0.9  # cosine between convolutions of networks; two trainings from the same start have 0.75


def ten_steps(net, noise, y):
    """Digits by 10 steps of DDIM at guidance weight 2."""
    return ddim(net, noise, y, weight=2.0, steps=10)


def eight_steps(net, noise, y):
    """Digits by 8 steps of Heun's method at guidance weight 2."""
    return heun(net, noise, y, weight=2.0, steps=8)


def own_ddpm(ps):
    """The tensors of the diffusion model, which must not be those that come with pskit."""
    tensors = ps.artifact(DDPM)
    if likeness(tensors) > SAME:
        raise Unexpected("these weights are those of the provided network, or nearly", "hand in one that you trained")
    return tensors


@points(1, part="9a", hint="the given U-Net with T = 200, trained to guess the noise, told the labels")
def test_noise_in_hidden_digits_is_found(ps, rng):
    """In digits that nobody trained on, your network finds the noise well, told the label or told none."""
    net = HandedIn(own_ddpm(ps))
    error = noise_error(net, rng)
    expect_true(error <= NOISE_HALF, "the error of the noise is too large: was it trained with QUICK = False?")
    untold = noise_error(net, rng, told=False)
    expect_true(untold <= NOISE_UNTOLD, "told the label it is well; without (label 10) not: were a tenth dropped?")


@points(1, part="9a", hint="half of the full training gets there")
def test_noise_in_hidden_digits_is_found_well(ps, rng):
    """In digits that nobody trained on, your network finds the noise very well."""
    error = noise_error(HandedIn(own_ddpm(ps)), rng)
    expect_true(error <= NOISE_FULL, "good, but the error of the noise can be smaller: train for longer")


@points(1, part="9a", hint="labels reach the network, a tenth of them are dropped, and null is label 10")
def test_diffusion_draws_what_is_asked(ps, rng):
    """In 55 % of the digits that DDIM draws with your network, a reader of digits sees the label."""
    images = samples(own_ddpm(ps), rng, ten_steps, anew=True)
    expect_true(agreement(images) >= DDIM_HALF, "too few samples show the digit that was asked for")


@points(1, part="9a", hint="half of the full training gets there")
def test_diffusion_nearly_always_draws_what_is_asked(ps, rng):
    """In 75 % of the digits that DDIM draws with your network, a reader of digits sees the label."""
    images = samples(own_ddpm(ps), rng, ten_steps)
    expect_true(agreement(images) >= DDIM_FULL, "most samples show the digit that was asked for, but not three of four")


@points(1, part="9a", hint="samples that vary as digits do: no single picture of each label, no noise left over")
def test_diffusion_draws_like_the_data(ps, rng):
    """What a reader of digits sees in your samples has about the mean and the covariance of real digits."""
    far = distance(samples(own_ddpm(ps), rng, ten_steps))
    ps.measure("diffusion: Frechet distance", far, best="lowest")
    expect_true(far <= FAR, "the samples differ too much from real digits, in what they show or how they vary")


@points(
    1, part="9b", hint="the given U-Net with T = 1, trained to guess the velocity, data minus noise, at t = 1 the data"
)
def test_velocities_to_hidden_digits_are_found(ps, rng):
    """Between noise and digits that nobody trained on, your network finds the velocity well, with and without label."""
    net = HandedIn(ps.artifact(FLOW))
    error = velocity_error(net, rng)
    expect_true(error <= VELOCITY_HALF, "the error of the velocity is too large: was it trained with QUICK = False?")
    untold = velocity_error(net, rng, told=False)
    expect_true(untold <= VELOCITY_UNTOLD, "told the label it is well; without (label 10) not: were a tenth dropped?")


@points(1, part="9b", hint="half of the full training gets there")
def test_velocities_to_hidden_digits_are_found_well(ps, rng):
    """Between noise and digits that nobody trained on, your network finds the velocity very well."""
    error = velocity_error(HandedIn(ps.artifact(FLOW)), rng)
    expect_true(error <= VELOCITY_FULL, "good, but the error of the velocity can be smaller: train for longer")


@points(2, part="9b", hint="labels reach the network, a tenth of them are dropped, and null is label 10")
def test_the_flow_draws_what_is_asked(ps, rng):
    """In 75 % of the digits that eight steps of Heun draw with your network, a reader of digits sees the label."""
    images = samples(ps.artifact(FLOW), rng, eight_steps, anew=True)
    expect_true(agreement(images) >= HEUN_HALF, "too few samples show the digit that was asked for")


@points(2, part="9b", hint="half of the full training gets there")
def test_the_flow_nearly_always_draws_what_is_asked(ps, rng):
    """In 90 % of the digits that eight steps of Heun draw with your network, a reader of digits sees the label."""
    images = samples(ps.artifact(FLOW), rng, eight_steps)
    expect_true(agreement(images) >= HEUN_FULL, "most samples show the digit that was asked for, but not nine of ten")


@points(1, part="9b", hint="samples that vary as digits do: no single picture of each label, no noise left over")
def test_the_flow_draws_like_the_data(ps, rng):
    """What a reader of digits sees in your samples has about the mean and the covariance of real digits."""
    far = distance(samples(ps.artifact(FLOW), rng, eight_steps))
    ps.measure("flow: Frechet distance", far, best="lowest")
    expect_true(far <= FAR, "the samples differ too much from real digits, in what they show or how they vary")
