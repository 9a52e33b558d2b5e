"""Comparisons for hidden tests. A failure names what differs and the idea behind it, never the value."""

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

RTOL = {torch.float64: 1e-6, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 2e-2}
ATOL = {torch.float64: 1e-8, torch.float32: 1e-5, torch.float16: 1e-3, torch.bfloat16: 1e-2}


Aspect = Literal["type", "shape", "dtype", "finite", "value"]


class Unexpected(AssertionError):
    """A student's result is not what was asked for. `what` states the difference, `hint` the idea (or None)."""

    def __init__(self, what: str, hint: str | None = None, aspect: Aspect = "value") -> None:
        super().__init__(what)
        self.what, self.hint, self.aspect = what, hint, aspect


def expect_true(condition: bool, hint: str) -> None:
    """A property of the result holds; the hint names it."""
    if not bool(condition):
        raise Unexpected("wrong value", hint)


def expect_shape(got: Any, *shape: int) -> None:
    """`got` is a tensor of this shape: `expect_shape(log_resp, N, K)`."""
    expect_tensor(got)
    if tuple(got.shape) != shape:
        raise Unexpected(f"shape {tuple(got.shape)}, expected {shape}", aspect="shape")


def expect_tensor(got: Any) -> None:
    """`got` is a torch tensor."""
    if not isinstance(got, Tensor):
        raise Unexpected(f"returned {describe(got)}, expected a tensor", aspect="type")


def expect_finite(got: Tensor, hint: str) -> None:
    """`got` is a tensor without NaN and infinity."""
    expect_tensor(got)
    if not bool(torch.isfinite(got).all()):
        raise Unexpected("the result holds NaN or infinity", hint, "finite")


def expect_equal(got: Any, want: Any, hint: str | None = None) -> None:
    """Plain data (int, str, bytes, lists, dicts) is equal, type and all."""
    if type(got) is not type(want):
        raise Unexpected(f"returned {describe(got)}, expected {describe(want)}", aspect="type")
    if got != want:
        raise Unexpected("wrong value", hint)


def expect_close(
    got: Any,
    want: Tensor | np.ndarray | float,
    hint: str | None = None,
    *,
    rtol: float | None = None,
    atol: float | None = None,
) -> None:
    """`got` has the type, shape, dtype and values of `want`; a number may come as a 0-d tensor or a float."""
    if isinstance(want, (int, float, np.floating)):
        _number_close(got, float(want), hint, rtol, atol)
        return
    want = torch.as_tensor(want)
    expect_shape(got, *want.shape)
    if got.dtype != want.dtype:
        raise Unexpected(f"dtype {got.dtype}, expected {want.dtype}", aspect="dtype")
    _values_close(got, want, hint, rtol, atol)


def _number_close(got: Any, want: float, hint: str | None, rtol: float | None, atol: float | None) -> None:
    if isinstance(got, Tensor):
        expect_shape(got)
        got = got.item()
    if isinstance(got, np.generic):
        got = got.item()
    if isinstance(got, bool) or not isinstance(got, (int, float)):
        raise Unexpected(f"returned {describe(got)}, expected a number", aspect="type")
    number, wanted = (torch.tensor(float(each), dtype=torch.float64) for each in (got, want))
    _values_close(number, wanted, hint, rtol, atol)


def _values_close(got: Tensor, want: Tensor, hint: str | None, rtol: float | None, atol: float | None) -> None:
    if not want.is_floating_point():
        if not torch.equal(got, want):
            raise Unexpected("wrong value", hint)
        return
    if bool(torch.isnan(got).any()) and not bool(torch.isnan(want).any()):
        raise Unexpected("the result holds NaN", hint, "finite")
    rtol = RTOL[want.dtype] if rtol is None else rtol
    atol = ATOL[want.dtype] if atol is None else atol
    if not torch.allclose(got, want, rtol=rtol, atol=atol):
        raise Unexpected("wrong value", hint)


def describe(value: Any) -> str:
    """A value's kind in a student's words: "a list of 3", "a tensor of shape (2, 3)"."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, np.ndarray):
        return f"a NumPy array of shape {value.shape}"
    if value is None:
        return "None"
    if isinstance(value, (list, tuple, dict, str, bytes)):
        return f"a {type(value).__name__} of {len(value)}"
    return getattr(type(value), "described", f"a {type(value).__name__}")
