"""Public checks as tests of other programs: the check's cell, and a line that fails where it does not hold."""

from collections.abc import Mapping
from typing import Any

from autograder.source import PartKind, SourceSet

VERDICT = """
from pskit.checks import results as _checked
assert _checked.get({part!r}, {{}}).get("state", "passed") == "passed", _checked[{part!r}]["messages"]
"""


def with_verdict(source: str, part: str) -> str:
    """A check prints what it finds and never raises; other programs count an exception."""
    return source.rstrip() + "\n" + VERDICT.format(part=part)


def part_points(source: SourceSet, kind: PartKind) -> dict[str, float]:
    """What each part of this kind is worth."""
    return {part.part: part.points for question in source.questions for part in question.parts if part.kind == kind}


def role(cell: Mapping[str, Any]) -> str:
    """The role of a cell of the notebook."""
    return str(cell["metadata"]["pskit"]["role"])


def part(cell: Mapping[str, Any]) -> str:
    """The part that a cell belongs to, or ""."""
    return str(cell["metadata"]["pskit"].get("part", ""))


def last_checks(cells: list[Any]) -> dict[str, str]:
    """By part, the id of its last check: a code part's carries the points."""
    return {part(cell): cell["id"] for cell in cells if role(cell) == "check"}
