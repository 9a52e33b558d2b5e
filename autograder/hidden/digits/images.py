"""Hidden digits: `data/README.md` says which ones they are."""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

DATA = Path(__file__).parent / "data"


@cache
def hidden_digits() -> tuple[Tensor, Tensor]:
    """Grey digits (1000, 1, 28, 28) in [0, 1] and their labels (1000,)."""
    sheet = np.asarray(Image.open(DATA / "digits.png"))
    images = sheet.reshape(-1, 28, sheet.shape[1] // 28, 28).transpose(0, 2, 1, 3).reshape(-1, 1, 28, 28)
    labels = [int(each) for each in (DATA / "digits.txt").read_text() if each.isdigit()]
    return torch.from_numpy(images / np.float32(255)), torch.tensor(labels)
