"""What is measured of a handed-in network of digits: its loss on hidden digits, and its samples.

Both cost seconds, so what a network answered to an input is remembered. The first test that asks for its samples draws
noise of its own, and the tests after it look at the same samples.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from autograder.hidden.digits.distance import frechet, in_unit
from autograder.hidden.digits.images import hidden_digits
from autograder.hidden.digits.reader import read
from autograder.hidden.ps3_diffusion_flow.networks import NULL, HandedIn, Tensors, cosine_shares
from autograder.testing import Memory, digest, normal, uniform
from pskit import data

EACH = 10  # samples of each label
Sampler = Callable[[HandedIn, Tensor, Tensor], Tensor]
_answers: Memory[Tensor] = Memory(12)
_newest: dict[str, Tensor] = {}  # the noise of the newest samples, for one network and sampler


def guess(net: HandedIn, x: Tensor, part: Tensor, y: Tensor) -> Tensor:
    """What the network guesses."""
    return _answers(net.name + digest(x, part, y), lambda: net(x, part, y))


def hidden_pairs(rng: np.random.Generator, told: bool, n: int = 300) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Hidden digits (n, 1, 28, 28) in [-1, 1], noise, times (n,) spread evenly over [0, 1), and labels (n,) or NULL."""
    images, labels = hidden_digits()
    rows = torch.from_numpy(rng.permutation(len(images))[:n])
    times = (torch.arange(n) + uniform(rng, n)) / n
    y = labels[rows] if told else torch.full((n,), NULL)
    return 2 * images[rows] - 1, normal(rng, n, 1, 28, 28).float(), times, y


def noise_error(net: HandedIn, rng: np.random.Generator, *, told: bool = True) -> float:
    """The mean squared error of the noise that the network guesses in noisy hidden digits, told their labels or not."""
    x0, noise, times, y = hidden_pairs(rng, told)
    shares = cosine_shares()
    steps = (times * len(shares)).long()
    share = shares[steps].reshape(-1, 1, 1, 1).float()
    xt = share.sqrt() * x0 + (1 - share).sqrt() * noise
    return (guess(net, xt, steps / len(shares), y) - noise).square().mean().item()


def velocity_error(net: HandedIn, rng: np.random.Generator, *, told: bool = True) -> float:
    """The mean squared error of the velocity that it guesses between noise and hidden digits, told labels or not."""
    x1, noise, times, y = hidden_pairs(rng, told)
    t = times.reshape(-1, 1, 1, 1).float()
    return (guess(net, (1 - t) * noise + t * x1, times, y) - (x1 - noise)).square().mean().item()


def samples(tensors: Tensors, rng: np.random.Generator, sampler: Sampler, *, anew: bool = False) -> Tensor:
    """Images (10 * EACH, 1, 28, 28) in [0, 1], EACH of every label in order; with `anew` they are drawn in any case."""
    net = HandedIn(tensors)
    owner = sampler.__name__ + net.name
    if anew or owner not in _newest:
        _newest.clear()
        _newest[owner] = normal(rng, 10 * EACH, 1, 28, 28).float()
    noise = _newest[owner]
    return _answers(owner + digest(noise), lambda: in_unit(sampler(net, noise, asked()).nan_to_num(0.0, 1.0, -1.0)))


def asked() -> Tensor:
    """The labels (10 * EACH,) of the samples."""
    return torch.arange(10).repeat_interleave(EACH)


def agreement(images: Tensor) -> float:
    """The share of samples in which the reader sees the label that was asked for."""
    return (read(images) == asked()).double().mean().item()


def distance(images: Tensor) -> float:
    """The Frechet distance of the samples to hidden digits in the reader's features."""
    return frechet(images)


def likeness(tensors: Tensors) -> float:
    """The cosine between all convolutions of a file and of the network that comes with pskit; 0 for other widths.

    Networks that were started apart have a cosine near 0, however well they are trained, for nothing orders their
    channels. Two trainings that start from the same weights and see other batches had 0.74.
    """
    provided = data.weights("ps3_unet")
    names = [name for name, tensor in provided.items() if tensor.ndim == 4]
    if any(name not in tensors or tensors[name].shape != provided[name].shape for name in names):
        return 0.0
    products = torch.zeros(3, dtype=torch.float64)  # of both, of mine, of theirs; one layer at a time
    for name in names:
        mine, theirs = tensors[name].double().flatten(), provided[name].double().flatten()
        products += torch.stack([mine @ theirs, mine @ mine, theirs @ theirs])
    return (products[0] / (products[1] * products[2]).sqrt().clamp(min=1e-300)).item()
