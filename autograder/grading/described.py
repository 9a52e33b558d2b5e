"""What a student's function was called with, in types, shapes and dtypes, and never in values."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

MANY = 4


def signature(function: str, args: Sequence[Any], kwargs: Mapping[str, Any], parameters: Sequence[str] = ()) -> str:
    """`gaussian_logpdf(X: float64 (7, 3), mu: float64 (3,), ridge: float)`; `parameters` names the positional ones."""
    named = [*parameters, *[""] * len(args)][: len(args)]
    pairs = [*zip(named, args, strict=True), *kwargs.items()]
    return (
        f"{function}({', '.join(f'{name}: {shape_of(value)}' if name else shape_of(value) for name, value in pairs)})"
    )


def shape_of(value: Any) -> str:
    """One argument: "float64 (7, 3)", "float", "list of 3 int"."""
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if isinstance(value, np.ndarray):
        return f"numpy {value.dtype} {value.shape}"
    if isinstance(value, list | tuple):
        return _sequence(value)
    return "None" if value is None else type(value).__name__


def _sequence(value: Sequence[Any]) -> str:
    inside = [shape_of(item) for item in value]  # once: an answer that is sent back may be nested deeply
    if isinstance(value, tuple) and len(value) <= MANY:
        return f"({', '.join(inside)})"
    if len(set(inside)) == 1:
        return f"{type(value).__name__} of {len(value)} {inside[0]}"
    return f"{type(value).__name__} of {len(value)}"
