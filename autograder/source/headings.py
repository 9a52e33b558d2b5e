"""The headings of a question and its parts: numbers, kinds and points."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from autograder.source.errors import SourceError
from autograder.source.model import Cell, Part, PartKind

POINTS = r"(?P<points>\d+(?:\.\d+)?) points?"
QUESTION = re.compile(rf"## (?P<number>x?\d+)\. (?P<title>.*\S) \({POINTS}\)\s*$")
PART = re.compile(rf"### (?P<part>x?\d+[a-z])\. (?P<title>.*\S) \((?P<kind>code|written|artifact), {POINTS}\)\s*$")
NUMBERED = re.compile(r"#{1,6}\s*x?\d+[a-z]?\s*[.:)]", re.IGNORECASE)
WORTH = re.compile(r"#{1,6} .*\bpoints?\b\s*\)")
FENCE = re.compile(r"\s*(```|~~~)")
QUESTION_FORM = "## 1. The Gaussian (12 points)"
PART_FORM = "### 1a. Maximum likelihood (code, 4 points), with code, written or artifact"


@dataclass(frozen=True)
class QuestionHeading:
    """`## 1. Title (12 points)` on its line."""

    number: str
    title: str
    points: float
    line: int


def plain_number(text: str) -> float:
    """`"4"` as the int 4, `"2.5"` as a float: points are written as people write them."""
    value = float(text)
    return int(value) if value.is_integer() else value


def read_headings(file: Path, cells: Iterable[Cell]) -> tuple[QuestionHeading, tuple[Part, ...]]:
    """The question's heading and its parts' in order; SourceError where one is missing or cannot be read."""
    questions: list[QuestionHeading] = []
    parts: list[Part] = []
    for number, line in _heading_lines(cells):
        question, part = QUESTION.match(line), PART.match(line)
        if question:
            points = plain_number(question["points"])
            questions.append(QuestionHeading(question["number"], question["title"], points, number))
        elif part:
            kind = cast(PartKind, part["kind"])
            parts.append(Part(part["part"], kind, plain_number(part["points"]), part["title"], number))
        elif NUMBERED.match(line) or WORTH.match(line):
            raise SourceError(
                file, number, f"{line!r} is neither a question's heading ({QUESTION_FORM}) nor a part's ({PART_FORM})."
            )
    if len(questions) != 1:
        second = questions[1].line if questions else 0
        raise SourceError(file, second, f"a question has one heading, {QUESTION_FORM}; this file has {len(questions)}.")
    return questions[0], tuple(parts)


def _heading_lines(cells: Iterable[Cell]) -> Iterator[tuple[int, str]]:
    """The numbered heading lines of text cells, outside fenced blocks."""
    for cell in cells:
        fenced = False
        for number, line in enumerate(cell.source.split("\n"), start=cell.first_line):
            fenced ^= bool(FENCE.match(line))
            if cell.role == "text" and not fenced and line.startswith("#"):
                yield number, line


def check_numbering(file: Path, question: QuestionHeading, parts: tuple[Part, ...]) -> None:
    """Parts are 1a, 1b, ... below question 1, and their points sum to the question's."""
    if not parts:
        raise SourceError(
            file, question.line, f"question {question.number} has no part; a part begins with {PART_FORM}."
        )
    for part, letter in zip(parts, "abcdefghijklmnopqrstuvwxyz", strict=False):
        if part.part != question.number + letter:
            raise SourceError(file, part.line, f"part {part.part} stands where {question.number + letter} belongs.")
        if part.line < question.line:
            raise SourceError(file, part.line, f"part {part.part} stands before its question's heading.")
    total = sum(part.points for part in parts)
    if total != question.points:
        sums = " + ".join(f"{part.points:g}" for part in parts)
        raise SourceError(
            file,
            question.line,
            f"the heading says {question.points:g} points, but the parts sum to {sums} = {total:g}.",
        )
