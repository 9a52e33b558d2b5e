"""Values compared for the public checks, with both sides shown."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

RTOL = {torch.float64: 1e-6, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 2e-2}
SHOWN = 9  # tensors of up to this many values are printed whole


def kind(value: Any) -> str:
    """A value's kind in plain words: "a tensor of shape (2, 3)", "a list of 3", "None"."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, np.ndarray):
        return f"a NumPy array of shape {value.shape}"
    if value is None:
        return "None (does the function return its result?)"
    if isinstance(value, (list, tuple, dict, str, bytes)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, (bool, int, float)):
        return f"the {type(value).__name__} {value}"
    return f"a {type(value).__name__}"


def difference(got: Any, want: Any, rtol: float | None, atol: float | None) -> str | None:
    """What differs between two numbers or arrays, in words; None when they agree.

    got and want are compared as float64; rtol's default follows got's dtype: 1e-6 for float64, 1e-4 for float32.
    """
    if not isinstance(got, (Tensor, np.ndarray, np.generic, bool, int, float)):
        return f"got {kind(got)}, expected {kind(want) if isinstance(want, Tensor) else 'a number or a tensor'}"
    if got.is_complex() if isinstance(got, Tensor) else np.iscomplexobj(got):
        return "got complex numbers, expected real ones"
    rtol = RTOL.get(getattr(got, "dtype", torch.float64), 1e-6) if rtol is None else rtol
    ours, theirs = _float64(got), _float64(want)
    if ours.shape != theirs.shape:
        return f"got shape {tuple(ours.shape)}, expected shape {tuple(theirs.shape)}"
    near = torch.isclose(ours, theirs, rtol=rtol, atol=1e-8 if atol is None else atol, equal_nan=True)
    return None if bool(near.all()) else _both(ours, theirs, near)


def _float64(value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach().cpu().to(torch.float64)
    return torch.as_tensor(np.asarray(value, dtype=np.float64))


def _both(got: Tensor, want: Tensor, near: Tensor) -> str:
    if got.numel() == 1:
        return f"got {got.item():.6g}, expected {want.item():.6g}"
    if got.numel() <= SHOWN:
        return f"got {numbers(got)}, expected {numbers(want)}"
    worst = torch.where(near, torch.zeros_like(got), (got - want).abs().nan_to_num(nan=torch.inf)).argmax()
    where = [int(i) for i in np.unravel_index(int(worst), tuple(got.shape))]
    wrong = int((~near).sum())
    return (
        f"{wrong} of {got.numel()} values differ, most at {where}: got {got[*where]:.6g}, expected {want[*where]:.6g}"
    )


def numbers(values: Tensor) -> str:
    """A small tensor's values in one line: "[[1, 2], [3, 4.5]]"."""
    if values.ndim == 0:
        return f"{values.item():.6g}"
    return "[" + ", ".join(numbers(v) for v in values) + "]"
