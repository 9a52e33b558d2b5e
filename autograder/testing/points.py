"""What a hidden test is worth, and what a student is told when it fails."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(frozen=True)
class Worth:
    """The points of one hidden test, its part ("1b"), its hint and its time limit in seconds."""

    points: float
    part: str
    hint: str
    timeout: float


def points(points: float, part: str, *, hint: str, timeout: float = 20.0) -> Callable[[Test], Test]:
    """Mark a hidden test: its points, its part, the idea to think about, the seconds that a runaway gets."""

    def mark(test: Test) -> Test:
        test.worth = Worth(points, part, hint, timeout)  # type: ignore[attr-defined]
        return test

    return mark
