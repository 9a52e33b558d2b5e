"""A release, `psN.ipynb`, as the grader sees it: what is asked, what is given, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pskit.notebook.cells import Cell, Unreadable
from pskit.notebook.limits import MAX_NOTEBOOK_BYTES
from pskit.notebook.notebook_file import RawCell, cell_of, read_notebook
from pskit.notebook.python import clean


class BadRelease(Exception):
    """A release that the grader cannot use: the course's fault. The text is a sentence for staff."""


@dataclass(frozen=True)
class Part:
    """One part, "1a": its kind ("code", "written", "artifact"), points, title, the names it asks for, its files."""

    part: str
    kind: str
    points: float
    title: str
    names: tuple[str, ...]
    files: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """One question, "q1_gaussian", number "1". `names` are those of all its parts in notebook order."""

    name: str
    number: str
    title: str
    points: float
    parts: tuple[Part, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Release:
    """What a problem set asks and gives. `given` and `checks` are code cells; a check's `part` says which part."""

    set: str
    questions: tuple[Question, ...]
    given: tuple[Cell, ...]
    checks: tuple[Cell, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that some question asks for."""
        return tuple(name for question in self.questions for name in question.names)


def read_release(path: Path) -> Release:
    """Read a released notebook's cells and pskit metadata. Raises BadRelease."""
    try:
        data = Path(path).read_bytes()[: MAX_NOTEBOOK_BYTES + 1]
    except OSError as reason:
        raise BadRelease(f"{path}: {reason}") from None
    return release_of(Path(path), data)


def release_of(path: Path, data: bytes) -> Release:
    """The same from bytes; a student's notebook keeps its release's marks. Raises BadRelease, which names `path`."""
    try:
        raw, metadata = read_notebook(path.name, data)
    except Unreadable as reason:
        raise BadRelease(f"{path}: {reason}") from None
    ours = metadata.get("pskit")
    if not isinstance(ours, dict):
        raise BadRelease(f"{path} has no pskit metadata; is it a release? Run `python -m autograder release`.")
    try:
        questions = tuple(_question(entry, raw) for entry in ours["questions"])
        return Release(str(ours["set"]), questions, _cells(raw, "given"), _cells(raw, "check"))
    except (KeyError, TypeError, ValueError) as error:
        raise BadRelease(
            f"{path}: its pskit metadata lacks or misspells {error}. Run `python -m autograder release`."
        ) from None


def _question(entry: Mapping[str, Any], raw: list[RawCell]) -> Question:
    answers = [cell.metadata["pskit"] for cell in raw if _ours(cell).get("question") == entry["name"]]
    parts = tuple(_part(part, answers) for part in entry["parts"])
    names = tuple(dict.fromkeys(name for answer in answers for name in answer.get("names", ())))
    return Question(entry["name"], str(entry["number"]), entry["title"], entry["points"], parts, names)


def _part(entry: Mapping[str, Any], answers: list[dict[str, Any]]) -> Part:
    mine = [answer for answer in answers if answer.get("part") == entry["part"]]
    names = tuple(dict.fromkeys(name for answer in mine for name in answer.get("names", ())))
    files = tuple(dict.fromkeys(answer["file"] for answer in mine if "file" in answer))
    return Part(entry["part"], entry["kind"], entry["points"], entry.get("title", ""), names, files)


def _ours(cell: RawCell) -> Mapping[str, Any]:
    ours = cell.metadata.get("pskit")
    return ours if isinstance(ours, dict) else {}


def _cells(raw: list[RawCell], role: str) -> tuple[Cell, ...]:
    """The code cells of a role as Python: a given cell may start with a magic."""
    return tuple(
        cell_of(cell, clean(cell.source)[0]) for cell in raw if cell.kind == "code" and _ours(cell).get("role") == role
    )
