"""Grey photographs and patches of them. Training and test photographs are different pictures."""

import functools
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from pskit.data.choice import full_files

BUNDLED = Path(__file__).parent / "bundled" / "photographs"
Split = Literal["train", "val", "test"]


def photographs(split: Split, bundled: bool = False) -> list[Tensor]:
    """Grey photographs (H, W), float64 in [0, 1]: BSDS500's (200 train, 100 val, 200 test) or the bundled ones.

    bundled: those that come with pskit in any case, so that everybody sees the same picture.

    Colours become grey by the luma of ITU-R BT.601, (299 R + 587 G + 114 B) / 1000 rounded to a whole number of 255.
    The small set has no validation photographs: its "val" is its "test".
    """
    files = _bundled(split) if bundled else _files(split)
    return [torch.from_numpy(grey / 255.0) for grey in _grey(tuple(files))]


def colour_photograph() -> Tensor:
    """A small photograph in colour (96, 144, 3), red, green and blue as float64 in [0, 1], that comes with pskit."""
    from PIL import Image  # kept out of `import pskit`

    pixels = np.asarray(Image.open(BUNDLED.parent / "colour" / "coffee.png").convert("RGB"))
    return torch.from_numpy(pixels / 255.0)


def patches(split: Split, n: int, p: int = 8, seed: int = 0) -> Tensor:
    """n different p x p patches of the photographs, read row by row: (n, p * p) float64 grey values in [0, 1].

    All positions of all photographs are equally likely; the same seed draws the same patches.
    """
    images = _grey(tuple(_files(split)))
    windows = [np.lib.stride_tricks.sliding_window_view(image, (p, p)) for image in images if min(image.shape) >= p]
    ends = np.cumsum([w.shape[0] * w.shape[1] for w in windows])
    if n > ends[-1]:
        raise ValueError(f"there are {ends[-1]} patches of {p} x {p} in these photographs, and {n} were asked for")
    draws = np.random.default_rng(seed).choice(ends[-1], size=n, replace=False)
    chosen = np.empty((n, p, p))
    which = np.searchsorted(ends, draws, side="right")
    for i, window in enumerate(windows):
        rows, columns = np.divmod(draws[which == i] - (ends[i] - window.shape[0] * window.shape[1]), window.shape[1])
        chosen[which == i] = window[rows, columns]
    return torch.from_numpy(chosen.reshape(n, p * p) / 255.0)


def _bundled(split: Split) -> list[Path]:
    if split not in ("train", "val", "test"):
        raise ValueError(f"split is {split!r}; it can be 'train', 'val' or 'test'")
    return sorted((BUNDLED / ("train" if split == "train" else "test")).glob("*.png"))


def _files(split: Split) -> list[Path]:
    small = _bundled(split)
    files = full_files("bsds500", f"the {len(small)} {split} photographs that come with pskit stand in for BSDS500")
    return sorted(file for file in files if file.parent.name == split) or small


@functools.lru_cache(maxsize=2)
def _grey(files: tuple[Path, ...]) -> list[np.ndarray]:
    from PIL import Image  # kept out of `import pskit`

    return [np.asarray(Image.open(file).convert("L")) for file in files]
