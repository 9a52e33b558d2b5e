"""The release's public checks, as the grader runs them: the same cells, on the code that is graded.

They carry no points. They run before any hidden call, in workers that see no hidden input, so everything that they say
may be shown; still it is the student's own process that says it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograder.grading.report import CheckReport
from autograder.worker import IsolationError, Worker, WorkerOutcome
from pskit.notebook import Cell, Question, Release, Submission
from pskit.slicing import Piece, slice_for_checks

SECONDS, SHORTEST = 10.0, 0.5  # for one question's checks; below the shortest they are not worth their start
SHARE = 0.25  # of all the time at the most, so that checks that hang leave the hidden tests theirs
MOST_MESSAGES, LONGEST = 5, 300
STATES = ("passed", "failed", "not implemented", "error")
COLLECT = """
def collect(ns, part):
    from pskit.checks import results
    return dict(results[part])
"""


def run_checks(
    release: Release, submission: Submission, questions: Sequence[Question], fork: Callable[[], Worker], seconds: float
) -> tuple[CheckReport, ...]:
    """The checks of every part of these questions that has some, in order; `seconds` is what the submission has.

    Those of artifact parts are left out: they read files and trained networks, which only the notebook has.
    """
    reports: list[CheckReport] = []
    for question in questions:
        parts = [part.part for part in question.parts if part.kind != "artifact"]
        cells = [cell for cell in release.checks if cell.part in parts]
        share = min(SECONDS, SHARE * seconds / max(1, len(questions)))
        if cells and share >= SHORTEST:
            reports += _of_question(release, submission, question, cells, fork, share)
    return tuple(reports)


def _of_question(
    release: Release,
    submission: Submission,
    question: Question,
    cells: Sequence[Cell],
    fork: Callable[[], Worker],
    seconds: float,
) -> list[CheckReport]:
    pieces = slice_for_checks(question.names, cells, release.given, submission.cells).pieces
    try:
        with fork() as worker:
            until = time.monotonic() + seconds
            worker.load(pieces, timeout=seconds)
            return [_of_part(worker, cell, until) for cell in cells]
    except (WorkerOutcome, IsolationError):
        return [
            CheckReport(cell.part, "error", ("The code that these checks need could not be run.",)) for cell in cells
        ]


def _of_part(worker: Worker, cell: Cell, until: float) -> CheckReport:
    try:
        worker.load([Piece(f"check {cell.part}", 1, cell.source)], timeout=max(0.0, until - time.monotonic()))
        record = worker.run(COLLECT, "collect", (cell.part,), timeout=max(0.0, until - time.monotonic()))
        return _understood(cell.part, record)
    except WorkerOutcome:
        return CheckReport(cell.part, "error", ("These checks did not run to their end.",))


def _understood(part: str, record: Any) -> CheckReport:
    """What pskit's check recorded, or an error where that is not what came back."""
    fields: Mapping[str, Any] = record if isinstance(record, dict) else {}
    state, messages = fields.get("state"), fields.get("messages", [])
    if state not in STATES or not isinstance(messages, list):
        return CheckReport(part, "error", ("These checks left no record.",))
    texts = [" ".join(text.split())[:LONGEST] for text in messages[:MOST_MESSAGES] if isinstance(text, str)]
    return CheckReport(part, str(state), tuple(texts))
