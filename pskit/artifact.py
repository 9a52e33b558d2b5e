"""Trained models that are handed in."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from pskit.tensors import write

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
    for name, tensor in tensors.items():
        print(f"  {name}: {tuple(tensor.shape)}, {tensor.dtype}{_trouble(tensor)}")
    if not any(bool(tensor.any()) for tensor in tensors.values()):  # one tensor may well be zero, as a mean or a bias
        print("  Every value is zero: is it trained?")
    return path


def sha256(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _trouble(tensor: Tensor) -> str:
    finite = not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())
    return "" if finite else "  <- holds NaN or infinity: the grader cannot use it"
