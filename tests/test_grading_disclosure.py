"""What of an exception's text reaches the student: what they need, and nothing that could carry a hidden input."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder.grading.disclosure import Disclosure
from autograder.grading.outcomes import Place
from pskit.notebook import Cell

SOURCE = "def fit(X, mus):\n    return X.misspelt + mus\n"
DISCLOSURE = Disclosure([Cell(3, SOURCE, "code"), Cell(4, "secret = 1", "markdown")], [("1a", "fit"), ("2a", "VAE")])
A, X = torch.ones(3, 4), torch.ones(3)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: A @ torch.ones(5, 6),
        lambda: X + torch.ones(4),
        lambda: X @ torch.ones(4),
        lambda: X @ X.double(),
        lambda: A.double() @ A.T,
        lambda: X.reshape(2, 2),
        lambda: X.sum(1),
        lambda: X[5],
        lambda: torch.stack([X, torch.ones(4)]),
        lambda: torch.cat([A, torch.ones(2, 5)]),
        lambda: X[torch.ones(4).bool()],
        lambda: torch.einsum("ij,jk->ik", A, A),
        lambda: torch.nn.Linear(4, 2)(A.double()),
        lambda: torch.nn.Conv2d(1, 1, 1)(A.double()[None, None]),
        lambda: torch.linalg.cholesky(A),
        lambda: torch.linalg.cholesky(-torch.eye(3)),
        lambda: torch.linalg.solve(torch.eye(3), torch.eye(4)),
        lambda: torch.ones(2).long().mean(),
        lambda: X.clone().requires_grad_().numpy(),
        lambda: torch.exp(3),  # type: ignore[arg-type]
        lambda: X.misspelt,  # type: ignore[attr-defined]
        lambda: bool(X),
        lambda: np.ones(3) + np.ones(4),
        lambda: np.ones((2, 3)) @ np.ones((2, 3)),
        lambda: np.ones(6).reshape(4),
        lambda: np.ones(3)[7],
        lambda: None + 1,  # type: ignore[operator]
        lambda: [1][5],
        lambda: 1 / 0,
        lambda: len(3),  # type: ignore[arg-type]
    ],
)
def test_errors_of_shape_dtype_and_kind_are_shown_whole(mistake: Callable[[], Any]) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 (any library's error)
        mistake()
    text = str(caught.value).strip().partition("\n")[0]
    assert DISCLOSURE.text(text) == text


def changed_in_place() -> None:
    scale = X.clone().requires_grad_().exp()
    (scale * scale.mul_(2)).sum().backward()


@pytest.mark.parametrize(
    ("mistake", "shown"),
    [
        (changed_in_place, "one of the variables needed for gradient computation has been modified by an inplace"),
        (lambda: torch.nn.BatchNorm1d(4)(A[:1]), "Expected more than 1 value per channel when training"),
    ],
)
def test_of_long_errors_the_part_that_says_which_is_shown(mistake: Callable[[], Any], shown: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 (any library's error)
        mistake()
    assert (DISCLOSURE.text(str(caught.value)) or "").startswith(shown)


@pytest.mark.parametrize(
    "text",
    [
        "the input was 0.7316",
        "The size of tensor a (0.73) must match the size of tensor b (3) at non-singleton dimension 0",
        "The size of tensor a (12345678901234567890) must match the size of tensor b (3) at non-singleton dimension 0",
        "name 'hidden_0_7316' is not defined",
        "'Tensor' object has no attribute 'x0_7316'",
        "KeyError: 0.7316",
        "",
    ],
)
def test_anything_else_is_withheld(text: str) -> None:
    assert DISCLOSURE.text(text) is None


def test_what_follows_a_known_text_is_cut() -> None:
    known = "division by zero"
    assert DISCLOSURE.text(f"{known} tensor([0.7316])\n0.7316") == known


@given(st.text(max_size=300))
def test_no_text_makes_it_fail_or_shows_more_than_it_holds(text: str) -> None:
    shown = DISCLOSURE.text(text)
    assert shown is None or shown in text


def test_names_of_the_notebook_are_shown_and_others_are_not() -> None:
    assert DISCLOSURE.text("name 'mus' is not defined") == "name 'mus' is not defined"
    assert DISCLOSURE.text("name 'secret' is not defined") is None, "markdown is not code"


def test_the_innermost_frame_in_the_notebook_is_the_place() -> None:
    frames = [("cell 3", 1, "<module>"), ("cell 3", 2, "fit"), ("/usr/lib/x.py", 9, "inner")]
    assert DISCLOSURE.place(frames) == Place(3, 2, "fit", "return X.misspelt + mus")


@pytest.mark.parametrize(
    "frame", [("cell 9", 1, "fit"), ("cell 3", 99, "fit"), ("cell 3", 0, "fit"), ("probe", 1, "f")]
)
def test_a_place_outside_the_notebook_is_none(frame: tuple[str, int, str]) -> None:
    assert DISCLOSURE.place([frame]) is None


def test_a_forged_function_name_is_dropped() -> None:
    place = DISCLOSURE.place([("cell 3", 2, "x0_7316")])
    assert place is not None
    assert place.function == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Question 1a: fit", "Question 1a: fit"),
        ("Question 2a: VAE.misspelt", "Question 2a: VAE.misspelt"),
        ("Question 2a: VAE.x7316", ""),
        ("Question 7a: fit", ""),
        ("Question 1a: 0.7316", ""),
    ],
)
def test_only_stubs_of_the_release_are_repeated(text: str, shown: str) -> None:
    assert DISCLOSURE.stub(text) == shown


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("ValueError", "ValueError"), ("fit", "fit"), ("_LinAlgError", "LinAlgError"), ("E0_7316", "an exception")],
)
def test_only_known_kinds_of_exception_are_named(kind: str, shown: str) -> None:
    assert DISCLOSURE.kind(kind) == shown
