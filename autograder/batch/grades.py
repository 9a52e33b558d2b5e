"""grades.csv: a line per student, the same whenever and in whatever pieces a class was graded."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from autograder.batch.entries import Entry, Student
from autograder.batch.ledger import extra_of

COLUMNS = ("submission", "name", "email", "sid", "created_at", "score", "max_score", "state", "why")
GRADED, PERSON, UNGRADED = "graded", "needs a person", "not graded"
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs what begins so, and names are the students'


@dataclass(frozen=True)
class Graded:
    """An entry with its results (None where there are none) and why a person must look (() where nobody must)."""

    entry: Entry
    results: Mapping[str, Any] | None
    why: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """One of three words."""
        if self.results is None:
            return UNGRADED
        return PERSON if self.why else GRADED

    @property
    def score(self) -> float | None:
        """The points, where there are any."""
        return None if self.results is None else self.results["score"]


def grades_csv(graded: Iterable[Graded]) -> str:
    """The file's content; groups have a line per student."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in graded:
        score = "" if each.results is None else f"{each.results['score']:g}"
        most = "" if each.results is None else f"{extra_of(each.results).get('max_score', '')}"
        for student in each.entry.students or (Student(),):
            who = (each.entry.name, student.name, student.email, student.sid)
            row = (*who, each.entry.created_at, score, most, each.state, "; ".join(each.why))
            writer.writerow([plain(cell) for cell in row])
    return text.getvalue()


def plain(cell: str) -> str:
    """Text that a spreadsheet takes for text, on one line."""
    line = " ".join(cell.split())
    return f"'{line}" if cell.startswith(FORMULA) else line
