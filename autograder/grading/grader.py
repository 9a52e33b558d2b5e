"""Grade submissions of one set: the release says what is asked, a worker runs the answers, hidden tests judge them."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from autograder.course import Refusal, did_you_mean
from autograder.grading.fingerprint import folder_hash, tool_hash
from autograder.grading.hidden_tests import PytestBroke, warm
from autograder.grading.report import Report, tidy
from autograder.grading.sitting import Sitting, graded_parts
from autograder.worker import ForkServer, IsolationError, Limits
from pskit.notebook import Question, Release, Submission, read_release

TIME_LIMIT = 480.0  # seconds per submission: 80 % of Gradescope's ten minutes


class GradingBroke(Exception):
    """This machine failed twice while it graded a submission, which is not judged by that. The text is for staff."""


class Grader:
    """Grades any number of submissions of one set; use it as a context manager, so that its fork server ends.

    set_name, release_path: "ps1_probabilistic" and its psN.ipynb. hidden_dir: the folder of its test_qK_topic.py.
    seed: moves the hidden draws. limits: of each worker. isolation: "auto" or "strict". time_limit: seconds per
    submission. checks: also run the release's public checks. server: one that was started ahead, with the isolation
    that is wanted; it ends with the grader. Raises BadRelease; IsolationError when it is entered.
    """

    def __init__(
        self,
        set_name: str,
        release_path: Path,
        hidden_dir: Path,
        seed: int,
        limits: Limits | None = None,
        *,
        isolation: str = "auto",
        time_limit: float = TIME_LIMIT,
        checks: bool = False,
        server: ForkServer | None = None,
    ) -> None:
        self.set_name, self.hidden_dir, self.seed = set_name, Path(hidden_dir).resolve(), seed
        self.time_limit = time_limit
        self.release: Release = read_release(Path(release_path))
        self.release_hash = hashlib.sha256(Path(release_path).read_bytes()).hexdigest()
        self.hidden_hash = folder_hash(self.hidden_dir)
        self._limits, self._isolation, self._checks, self._early = limits, isolation, checks, server

    def __enter__(self) -> Self:
        self._server = self._early or self._start()
        self._early = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    def _start(self) -> ForkServer:
        return ForkServer(self._limits, isolation=self._isolation).__enter__()

    @property
    def walls(self) -> tuple[tuple[str, bool, str], ...]:
        """What stands between student code and the grader: name, whether it stands, detail."""
        return tuple((wall.name, wall.stands, wall.detail) for wall in self._server.walls)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that the set asks for: `read_submission(path, grader.names)`."""
        return self.release.names

    def grade(self, submission: Submission, questions: Sequence[str] | None = None, seed: int | None = None) -> Report:
        """Run the hidden tests of these questions (all of them by default). Raises GradingBroke, Refusal."""
        chosen = self.choose(questions)
        draws = self.seed if seed is None else seed
        self._wait(chosen)
        sitting = self._sit(submission, chosen, draws)
        if sitting.host_failed:  # what was found is void: a fresh fork server, and once more
            self._restart()
            self._wait(chosen)
            sitting = self._sit(submission, chosen, draws)
        if sitting.host_failed:
            raise GradingBroke(str(sitting.host_failed))
        found = sitting.report(self.walls)
        return replace(
            found,
            release=self.release_hash,
            hidden=self.hidden_hash,
            tool=tool_hash(),
            time_limit=round(self.time_limit, 3),
        )

    def _sit(self, submission: Submission, questions: Sequence[Question], seed: int) -> Sitting:
        sitting = Sitting(self._server, self.release, submission, seed, time.monotonic() + self.time_limit)
        try:
            sitting.run(questions, self.hidden_dir, self._checks)
        except PytestBroke as error:
            raise GradingBroke(str(error)) from error
        return sitting

    def _wait(self, questions: Sequence[Question]) -> None:
        """Until the fork server has loaded: no submission pays for that with its time, nor for the tests' imports."""
        warm([self.hidden_dir / f"test_{question.name}.py" for question in questions])
        try:
            _ = self._server.walls
        except IsolationError as error:
            raise GradingBroke(str(error)) from error

    def _restart(self) -> None:
        self._server.__exit__(None, None, None)
        try:
            self._server = self._start()
        except (IsolationError, OSError) as error:
            raise GradingBroke(f"the fork server cannot be started again: {error}") from error

    def max_score(self, questions: Sequence[str] | None = None) -> float:
        """What the hidden tests of these questions (all of them by default) can give. Raises Refusal."""
        return tidy(sum(part.points for question in self.choose(questions) for part in graded_parts(question)))

    def choose(self, names: Sequence[str] | None) -> list[Question]:
        """The questions of these names in the release's order, all where None. Raises Refusal."""
        if names is None:
            return list(self.release.questions)
        known = [question.name for question in self.release.questions]
        for name in names:
            if name not in known:
                raise Refusal(f"{self.set_name} has no question {name!r}. {did_you_mean(name, known)}")
        return [question for question in self.release.questions if question.name in names]
