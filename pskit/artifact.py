"""Trained models that are handed in."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from pskit.tensors import write

MOST_LINES = 40  # tensors of a file that are listed one by one
saved: list[str] = []  # files that this notebook has handed over; the submission collects them


def save_artifact(file: str, tensors: Mapping[str, Tensor]) -> Path:
    """Save a model as `file` (".safetensors", beside the notebook), say what is in it and what looks wrong."""
    path = Path(file)
    if path.suffix != ".safetensors":
        raise ValueError(f"{file!r} must end in .safetensors, the only form in which models are accepted")
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name} is a {type(tensor).__name__}; every value must be a tensor")
    write(path, tensors)
    if file not in saved:
        saved.append(file)
    print(f"Saved {file}, {path.stat().st_size / 1024:.0f} kB, sha256 {sha256(path)[:12]}:")
    for line in _lines(tensors):
        print(line)
    if not any(bool(tensor.any()) for tensor in tensors.values()):  # one tensor may well be zero, as a mean or a bias
        print("  Every value is zero: is it trained?")
    return path


def sha256(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _lines(tensors: Mapping[str, Tensor]) -> list[str]:
    """A line for each tensor; of a network with many, one line for all and one for each that is in trouble."""
    lines = {name: f"  {name}: {tuple(t.shape)}, {t.dtype}{_trouble(t)}" for name, t in tensors.items()}
    if len(tensors) <= MOST_LINES:
        return list(lines.values())
    sizes = sum(tensor.numel() for tensor in tensors.values())
    summary = f"  {len(tensors)} tensors with {sizes:,} numbers, from {next(iter(tensors))} to {list(tensors)[-1]}"
    return [summary, *(lines[name] for name, tensor in tensors.items() if _trouble(tensor))]


def _trouble(tensor: Tensor) -> str:
    finite = not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())
    return "" if finite else "  <- holds NaN or infinity: the grader cannot use it"
