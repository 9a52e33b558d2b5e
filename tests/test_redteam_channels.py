"""How much of an input can come out through the words of feedback, and how long the grader looks at an answer."""

import time

import pytest
import torch

from autograder.grading.described import shape_of
from autograder.grading.disclosure import MOST_DIGITS, MOST_NAMES, Disclosure
from autograder.grading.messages import printable
from pskit.notebook import Cell

LETTERS = "a = b = c = d = e = f = g = h = None"
DISCLOSURE = Disclosure([Cell(1, LETTERS, "code")], [("1a", "fit")])


def test_names_joined_by_dots_count_one_by_one() -> None:
    assert DISCLOSURE.text("'Tensor' object has no attribute 'a'") is not None
    spelt = ".".join("abcdefgh"[:MOST_NAMES])
    assert DISCLOSURE.text(f"'Tensor' object has no attribute '{spelt}'") is None


def test_names_over_the_gaps_of_one_text_count_together() -> None:
    assert DISCLOSURE.text("a(): argument 'b' (position 1) must be Tensor, not list") is not None
    assert DISCLOSURE.text("a.b(): argument 'c.d' (position 1) must be e.f, not g.h") is None


def test_the_digits_of_one_text_are_bounded() -> None:
    """Two shapes of images fit; a row of character codes does not."""
    known = "mat1 and mat2 shapes cannot be multiplied ({} and {})"
    images = known.format("64x3x224x224", "64x3x128x128")
    assert sum(character.isdigit() for character in images) <= MOST_DIGITS
    assert DISCLOSURE.text(images) == images
    assert DISCLOSURE.text(known.format("60x111x116x116x101x114", "56x56x52x54x109x101")) is None


@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: (value, value)[:1], lambda value: [value, 0]])
def test_a_nested_answer_is_described_in_linear_time(wrap: object) -> None:
    """An answer 30 deep that a test sends back took 2**30 steps once."""
    value: object = torch.zeros(2)
    for _ in range(30):
        value = wrap(value)  # type: ignore[operator]
    started = time.process_time()
    assert shape_of(value)
    assert time.process_time() - started < 1.0


def test_what_a_terminal_would_obey_is_replaced() -> None:
    assert printable("a\x1b[2J\x07\udcff\u202e\u0000\nü漢") == "a?[2J????\nü漢"
