"""A grader for tests of the batch: a submission's own text says what becomes of it. Imported by grading processes."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from autograder.grading import GradingBroke, Report, TestReport
from autograder.grading.outcomes import CouldNotBeGraded, Different, Passed
from autograder.grading.setting import Setting
from pskit.notebook import Submission

HASHES = ("release", "hidden", "tool")


class FakeGrader:
    """As many points as the submission's `points = N` says, of 10; other words make it fail in a way."""

    set_name, names, release_hash, hidden_hash = "ps0_fake", (), "release", "hidden"

    def __init__(self, log: Path) -> None:
        self._log, self.hidden_dir = log, log.parent

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def choose(self, questions: Sequence[str] | None) -> list[Any]:
        return []

    def max_score(self, questions: Sequence[str] | None = None) -> float:
        return 10.0

    def grade(self, submission: Submission, questions: Sequence[str] | None = None) -> Report:
        text = submission.cells[0].source
        with self._log.open("a") as log:
            log.write(f"{submission.sha256}\n")
        if "kills its grader" in text:
            os._exit(9)
        if "once" in text and self._log.read_text().count(submission.sha256) < 2:
            os._exit(9)
        if "surprises" in text:
            raise RuntimeError("nobody thought of it")
        if "breaks" in text:
            raise GradingBroke("no more processes")
        if "slow" in text:
            time.sleep(0.3)
        points = float(text.partition("points = ")[2].split()[0]) if "points" in text else 0.0
        right = TestReport("test_a", "A claim.", "1a", "q1_a", "1a.1", points, Passed())
        outcome = CouldNotBeGraded("test_b: line 3") if "course" in text else Different("value", "wrong value")
        wrong = TestReport("test_b", "Another.", "1b", "q1_a", "1b.1", 10 - points, outcome, "an idea")
        attention = ("q1_a, test_b: line 3",) if "course" in text else ()
        return Report("ps0_fake", (right, wrong), attention=attention, release="release", submission=submission.sha256)


@dataclass(frozen=True)
class FakeSetting(Setting):
    """Its hidden folder is where the grader's log lies."""

    def grader(self, server: object = None) -> Any:
        """Every grading leaves a line in the log."""
        return FakeGrader(self.hidden / "log")
