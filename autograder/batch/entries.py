"""What a class's download holds: one entry per submission, whoever wrote the download."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.grading.distinct import distinct


@dataclass(frozen=True)
class Student:
    """A student as the download names one; a field that it does not have is empty."""

    name: str = ""
    email: str = ""
    sid: str = ""


@dataclass(frozen=True)
class Entry:
    """One submission. `name` is the folder of its results; `problem` says why there is nothing to grade, or is empty.

    `remark` is why a person should look at it although it is graded, or is empty.
    `created_at` is the time of the submission as the download gives it, with its offset; "" where it gives none.
    """

    name: str
    path: Path
    students: tuple[Student, ...] = ()
    created_at: str = ""
    problem: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Download:
    """Everything that was found, in a fixed order; `kind` is how it was read, in words."""

    kind: str
    entries: tuple[Entry, ...]


def in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Sorted as people count, submission_9 before submission_10; of two with one name the later is called NAME-2."""
    found = sorted(entries, key=lambda entry: (natural(entry.name), entry.path.as_posix()))
    names = distinct([entry.name for entry in found])
    return tuple(replace(entry, name=name) for entry, name in zip(found, names, strict=True))


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts numbers in a name by their value."""
    pieces = re.split(r"(\d+)", name)
    return [(1, int(piece), "") if piece.isdecimal() and piece.isascii() else (0, 0, piece) for piece in pieces]


def twice(entries: Sequence[Entry]) -> dict[str, list[str]]:
    """Entry names whose student also stands in others, with those others' names."""
    by_student: dict[str, list[str]] = {}
    for entry in entries:
        for student in entry.students:
            who = student.email or student.sid or student.name
            if who:
                by_student.setdefault(who.casefold(), []).append(entry.name)
    return {
        name: [other for other in names if other != name]
        for names in by_student.values()
        if len(set(names)) > 1
        for name in names
    }
