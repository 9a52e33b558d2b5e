"""Graders in processes of their own: papers go in, verdicts come out, in any order."""

import multiprocessing
import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from pathlib import Path

from autograder.course import Refusal
from autograder.grading import Grader, GradingBroke
from autograder.grading.setting import Setting
from autograder.verify.matrix import Row, rows_of, verdicts_of
from autograder.verify.papers import Paper
from pskit.notebook import Submission, read_submission

_grader: Grader | None = None
_submissions: dict[Path, Submission] = {}


class Graders:
    """Some processes with a grader each; a context manager."""

    def __init__(self, setting: Setting, processes: int) -> None:
        spawn = multiprocessing.get_context("spawn")  # a fork would copy this process's threads and torch's state
        self._pool = ProcessPoolExecutor(processes, spawn, initializer=_start, initargs=(setting,))

    def __enter__(self) -> "Graders":
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def grade(self, jobs: Iterable[tuple[Paper, int]]) -> Iterator[list[Row]]:
        """The rows of each paper at its seed, as they are done. Raises Refusal where this machine fails to grade."""
        try:
            waiting: list[Future[list[Row]]] = [self._pool.submit(_grade, paper, seed) for paper, seed in jobs]
            for done in as_completed(waiting):
                yield done.result()
        except BrokenProcessPool:
            raise Refusal("verify: a grading process ended; is there enough memory? Try --jobs 1.") from None
        except GradingBroke as error:
            raise Refusal(f"verify: {error}") from None


def end_with_parent() -> None:
    """Watch the parent, and end when it does: a pool's workers would wait for ever for one that was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "called in a worker"

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)  # the fork server notices and ends by itself

    threading.Thread(target=watch, daemon=True).start()


def _start(setting: Setting) -> None:
    global _grader
    end_with_parent()
    _grader = setting.grader().__enter__()
    Finalize(None, _grader.__exit__, args=(None, None, None), exitpriority=1)  # ends the fork server with its process


def _submission(folder: Path, names: tuple[str, ...]) -> Submission:
    """What the paper holds; it is graded at every seed, and only files are too large to be remembered."""
    submission = _submissions.get(folder) or read_submission(folder, names)
    if not submission.artifacts:
        _submissions[folder] = submission
    return submission


def _grade(paper: Paper, seed: int) -> list[Row]:
    assert _grader is not None, "the initializer has run"
    report = _grader.grade(_submission(paper.folder, _grader.names), paper.questions, seed)
    return rows_of(paper.name, paper.verdict, paper.target, seed, verdicts_of(report))
