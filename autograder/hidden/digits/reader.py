"""The reader: a small network that says which digit it sees, and by what it tells digits apart.

It judges samples, and may judge any digits of 28 x 28 pixels with grey values in [0, 1]. `data/README.md`
says how it was trained and how often it is right. It does not protect against images made for it: a network that is
trained against the reader could please it with noise. Nobody can train against it who does not have it.
"""

from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

DATA = Path(__file__).parent / "data"


def new_reader() -> nn.Sequential:
    """The reader before its training: (B, 1, 28, 28) in [0, 1] to logits (B, 10)."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.ReLU(),
        nn.Conv2d(16, 32, 5, stride=2, padding=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * 49, 48), nn.ReLU(), nn.Linear(48, 10),
    )  # fmt: skip


@cache
def reader() -> nn.Sequential:
    """The trained reader."""
    network = new_reader()
    network.load_state_dict({name: tensor.float() for name, tensor in load_file(DATA / "reader.safetensors").items()})
    return network.eval()


@torch.no_grad()
def read(images: Tensor) -> Tensor:
    """The digits (B,) that the reader sees in images (B, 1, 28, 28) with values in [0, 1]."""
    return reader()[7:](features(images)).argmax(1)


@torch.no_grad()
def features(images: Tensor) -> Tensor:
    """What the reader's last layer sees of images (B, 1, 28, 28): (B, 48)."""
    return torch.cat([reader()[:7](some) for some in images.split(100)])  # some at a time: memory stays small


def variety(images: Tensor) -> float:
    """The mean distance of two images (B, 1, 28, 28) in the reader's features; 0 where all are equal."""
    return torch.pdist(features(images)).mean().item()
