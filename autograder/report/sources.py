"""What a report is made of: the results of a `grade` run or of a Gradescope export, a folder or its zip.

A run's grades.csv says which submissions are in the class, those without a result too, and at which a person should
look.
"""

import csv
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from autograder.batch.entries import natural
from autograder.batch.grades import GRADED, UNGRADED, plain
from autograder.batch.gradescope_export import METADATA
from autograder.batch.regrade import old_results
from autograder.course import Refusal
from autograder.report.papers import Paper, paper_of

GRADES = "grades.csv"
UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, StopIteration)


def read_class(path: Path) -> list[Paper]:
    """Every submission of a run or an export, in the order of their names. Raises Refusal."""
    with _opened(path) as folder:
        try:
            found = {name: paper_of(name, results) for name, results in old_results(folder).items()}
        except Refusal:
            raise _refusal(path) from None
        papers = _of_grades(found, folder)
    return sorted(papers, key=lambda paper: natural(paper.name))


@contextmanager
def _opened(path: Path) -> Iterator[Path]:
    """The folder of the results. Of a zip only the metadata is unpacked, for an export's results stand there."""
    if not path.is_file():
        yield path
        return
    with TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                member = next(name for name in archive.namelist() if _is_metadata(PurePosixPath(name)))
                with archive.open(member) as source, (Path(folder) / METADATA).open("wb") as target:
                    shutil.copyfileobj(source, target)
        except UNREADABLE:
            raise _refusal(path) from None
        yield Path(folder)


def _is_metadata(member: PurePosixPath) -> bool:
    return member.name == METADATA and len(member.parts) <= 2


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
