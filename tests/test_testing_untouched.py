"""The look at arguments after a call: what was written into, or marked for gradients, is told."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from autograder.testing import Unexpected, non_contiguous, untouched

X = torch.arange(6.0).reshape(2, 3)


def called(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What `untouched` returns of f, called on copies as a worker calls it."""
    ps = SimpleNamespace(run=lambda probe, name, sent, named: probe(SimpleNamespace(f=f), name, copied(sent), named))
    return untouched(ps, "f", *args, **kwargs)


def copied(value: Any) -> Any:
    """The value as it arrives on the other side."""
    if isinstance(value, torch.Tensor):
        return value.clone()
    return type(value)(copied(each) for each in value) if isinstance(value, list | tuple) else value


def test_a_function_that_leaves_its_arguments_alone_returns_what_it_returns() -> None:
    got = called(lambda x, rows, scale: (x + rows[0]) * scale, non_contiguous(X), [X, X], scale=2.0)
    assert torch.equal(got, 4 * X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, rows: x.sub_(1),
        lambda x, rows: x.unsqueeze_(0),
        lambda x, rows: rows[1].zero_(),
        lambda x, rows: rows.append(x),
    ],
    ids=["numbers", "shape", "a tensor inside a list", "the list itself"],
)
def test_writing_into_an_argument_is_told(f: Callable[..., Any]) -> None:
    with pytest.raises(Unexpected, match="changed one of its arguments"):
        called(f, X, [X, X + 1])


def test_marking_an_argument_for_gradients_is_told() -> None:
    with pytest.raises(Unexpected, match="marked one of its arguments"):
        called(lambda x: x.requires_grad_().sum(), X)
