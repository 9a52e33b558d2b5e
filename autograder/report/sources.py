"""What a report is made of: the results of a `grade` run or of a Gradescope export, a folder or its zip.

A run's grades.csv says which submissions are in the class, those without a result too, and at which a person should
look.
"""

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from autograder.batch.entries import natural
from autograder.batch.grades import GRADED, UNGRADED, plain
from autograder.batch.regrade import old_results
from autograder.course import Refusal
from autograder.report.papers import Paper, paper_of

GRADES = "grades.csv"


def read_class(path: Path) -> list[Paper]:
    """Every submission of a run or an export, in the order of their names. Raises Refusal."""
    try:
        found = {name: paper_of(name, results) for name, results in old_results(path).items()}
    except Refusal:
        raise _refusal(path) from None
    papers = _of_grades(found, path)
    return sorted(papers, key=lambda paper: natural(paper.name))


def _refusal(path: Path) -> Refusal:
    return Refusal(
        f"report: {path} holds no results that can be read. Name a folder that `grade` wrote, or a Gradescope export, "
        "its folder or its zip; download one anew that is damaged."
    )


def _of_grades(found: Mapping[str, Paper], folder: Path) -> list[Paper]:
    """Those that the run's grades.csv lists: a folder may hold results of submissions that are no longer there."""
    try:
        with (folder / GRADES).open(encoding="utf-8", newline="") as file:
            rows = {row["submission"]: row for row in csv.DictReader(file)}
    except (OSError, KeyError):
        return list(found.values())
    known = {plain(name): paper for name, paper in found.items()}
    return [_judged(known.get(name, Paper(name)), row) for name, row in rows.items()]


def _judged(paper: Paper, row: Mapping[str, str | None]) -> Paper:
    """With the reasons that the line of grades.csv gives for a person to look, which are more than the result knows."""
    why = tuple(filter(None, (row.get("why") or "").split("; ")))
    if row.get("state") == UNGRADED:
        return replace(Paper(paper.name), staff=("Not graded.", *why))
    return paper if row.get("state") == GRADED else replace(paper, staff=why or paper.staff)
