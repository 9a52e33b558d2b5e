"""A call of the student's function, and a look at its arguments afterwards: the caller needs them again."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, equal

from autograder.testing.expect import Unexpected

NEEDED = "the arguments are needed again: write x = x - 1, not x -= 1"
UNMARKED = "the arguments stay as they are: detach before asking for a gradient in one"


def probe_call(ns, name, args, kwargs):  # type: ignore[no-untyped-def]
    """The result, the arguments after the call, and whether one of them was marked for gradients."""
    got = getattr(ns, name)(*args, **kwargs)
    return got, list(args), any(getattr(each, "requires_grad", False) for each in args)


def untouched(ps: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """What the student's function of this name returns; its arguments must be what they were."""
    got, after, marked = ps.run(probe_call, name, args, kwargs)
    expect_untouched(after, args, marked)
    return got


def expect_untouched(after: Sequence[Any], given: Sequence[Any], marked: bool = False) -> None:
    """The arguments after a call are what was given, and none of them was `marked` for gradients."""
    if not all(_same(left, each) for left, each in zip(after, given, strict=True)):
        raise Unexpected("the call changed one of its arguments", NEEDED)
    if marked:
        raise Unexpected("the call marked one of its arguments for gradients", UNMARKED)


def _same(left: Any, given: Any) -> bool:
    if isinstance(given, Tensor):
        return isinstance(left, Tensor) and equal(left, given)
    if isinstance(given, list | tuple):
        return len(left) == len(given) and all(_same(*pair) for pair in zip(left, given, strict=True))
    return bool(left == given)
