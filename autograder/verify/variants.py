"""Marks of the variants in `solutions/psN_*/variants/`: right and wrong answers that the graders must tell apart."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Answer = TypeVar("Answer", bound=Callable[..., Any])


@dataclass(frozen=True)
class Mark:
    """What a variant stands in for (a name of the notebook, or an artifact's file) and which verdict it must get."""

    target: str
    verdict: Literal["right", "wrong"]
    kind: Literal["code", "artifact"]


def _marker(
    verdict: Literal["right", "wrong"], kind: Literal["code", "artifact"], target: str
) -> Callable[[Answer], Answer]:
    def mark(answer: Answer) -> Answer:
        answer.mark = Mark(target, verdict, kind)  # type: ignore[attr-defined]
        return answer

    return mark


def wrong(target: str) -> Callable[[Answer], Answer]:
    """A mistake, named by the function that makes it, in the place of the notebook's `target`."""
    return _marker("wrong", "code", target)


def right(target: str) -> Callable[[Answer], Answer]:
    """A different correct answer in the place of the notebook's `target`."""
    return _marker("right", "code", target)


def wrong_artifact(file: str) -> Callable[[Answer], Answer]:
    """A function from the reference's tensors to tensors or bytes that must not get the artifact's full points.

    file: its name, as a literal; variants are read, not run.
    """
    return _marker("wrong", "artifact", file)


def right_artifact(file: str) -> Callable[[Answer], Answer]:
    """A function from the reference's tensors to others that deserve full points; `file` is a literal."""
    return _marker("right", "artifact", file)
