"""The solved notebook of problem set 3 as a namespace, for the tests that compute what its texts claim."""

from functools import cache
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from autograder.course import load_course
from autograder.source import definitions

SOURCES = load_course().root / "solutions" / "ps3_diffusion_flow"
FILES = ["intro", *sorted(path.stem for path in SOURCES.glob("[qx]?_*"))]
f64: dict[str, Any] = {"dtype": torch.float64}
T = 200


@cache
def notebook() -> SimpleNamespace:
    """Every definition of the solved notebook; its training cells are not run."""
    return SimpleNamespace(**definitions(SOURCES, FILES))


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), **f64)


@cache
def cosine(steps: int = T) -> tuple[Tensor, Tensor]:
    """betas and alpha_bar of the notebook's schedule."""
    betas, alpha_bar = notebook().make_schedule("cosine", steps)
    return betas, alpha_bar
