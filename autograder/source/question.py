"""One question's file: its cells, headings and parts belong together."""

import re
from collections.abc import Iterable
from pathlib import Path

from autograder.source.cells import read_cells
from autograder.source.errors import SourceError
from autograder.source.headings import QuestionHeading, check_numbering, read_headings
from autograder.source.model import ROLES, Cell, Part, Question


def read_question(file: Path) -> Question:
    """Read and check one question's file, or its folder of files; SourceError with the line and a sentence."""
    cells = read_cells(file, file.stem)
    heading, parts = read_headings(file, cells)
    check_numbering(file, heading, parts)
    _number_is_the_files(file, heading)
    _cells_belong_to_parts(file, cells, parts)
    _parts_are_complete(file, cells, parts)
    return Question(file.stem, heading.number, heading.title, heading.points, parts, cells, file)


def _number_is_the_files(file: Path, heading: QuestionHeading) -> None:
    number = re.match(r"q?(x?\d+)_", file.stem)
    if number and number[1] != heading.number:
        raise SourceError(
            file, heading.line, f"the heading says question {heading.number}, the file's name {number[1]}."
        )


def _cells_belong_to_parts(file: Path, cells: Iterable[Cell], parts: tuple[Part, ...]) -> None:
    by_name = {part.part: part for part in parts}
    for cell in cells:
        if not cell.part:
            continue
        part = by_name.get(cell.part)
        if part is None:
            raise SourceError(
                file, cell.line, f"part {cell.part!r} is not of this question, which has {', '.join(by_name)}."
            )
        if part.kind not in ROLES[cell.role].parts:
            raise SourceError(
                file, cell.line, f"a cell of role {cell.role} does not fit {part.part}, a {part.kind} part."
            )
        under = next((each.part for each in reversed(parts) if each.line < cell.line), None)
        if cell.role != "check" and under != cell.part:
            raise SourceError(
                file, cell.line, f"this cell of part {cell.part} stands under the heading of {under or 'no part'}."
            )


def _parts_are_complete(file: Path, cells: tuple[Cell, ...], parts: tuple[Part, ...]) -> None:
    needed = {"code": "answer", "written": "written", "artifact": "artifact"}
    for part in parts:
        role = needed[part.kind]
        count = sum(cell.role == role and cell.part == part.part for cell in cells)
        if count == 0 or (count > 1 and role != "answer"):
            wanted = "at least one" if role == "answer" else "exactly one"
            raise SourceError(file, part.line, f"part {part.part} needs {wanted} cell of role {role}; it has {count}.")
