"""Handwritten digits: MNIST (LeCun, Cortes and Burges)."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from pskit.data.choice import full_files
from pskit.data.store import folder

BUNDLED = Path(__file__).parent / "bundled" / "mnist"


def mnist(split: Literal["train", "test"], n: int | None = None) -> tuple[Tensor, Tensor]:
    """The first n digits (all of them by default): images (N, 28, 28) uint8, 255 is ink, and labels (N,) int64.

    The full set has 60,000 and 10,000; the small one 1,000 and 500, of which every row of 50 mixes all classes.
    """
    if split not in ("train", "test"):
        raise ValueError(f"split is {split!r}; it can be 'train' or 'test'")
    instead = "1,000 training and 500 test digits that come with pskit stand in for MNIST"
    images, labels = _full(split) if full_files("mnist", instead) else _bundled(split)
    return torch.from_numpy(images[:n].copy()), torch.from_numpy(labels[:n].astype(np.int64))


def _full(split: str) -> tuple[np.ndarray, np.ndarray]:
    start = folder() / "mnist" / ("train" if split == "train" else "t10k")
    images = np.fromfile(f"{start}-images-idx3-ubyte", dtype=np.uint8, offset=16)  # 16 and 8: sizes of idx headers
    return images.reshape(-1, 28, 28), np.fromfile(f"{start}-labels-idx1-ubyte", dtype=np.uint8, offset=8)


def _bundled(split: str) -> tuple[np.ndarray, np.ndarray]:
    from PIL import Image  # kept out of `import pskit`

    sheet = np.asarray(Image.open(BUNDLED / f"{split}.png"))  # (28 rows, 28 * 50): 50 digits side by side
    labels = np.array([int(ch) for ch in (BUNDLED / f"{split}.txt").read_text() if ch.isdigit()])
    return sheet.reshape(-1, 28, 50, 28).transpose(0, 2, 1, 3).reshape(-1, 28, 28), labels
