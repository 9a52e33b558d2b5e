"""One question of one submission: its slice, its worker, its judge."""

from typing import TypeGuard

from autograder.grading.desk import Desk, HostFailed
from autograder.grading.disclosure import Disclosure
from autograder.grading.hidden_tests import Ended
from autograder.grading.judge import Judge
from autograder.grading.outcomes import (
    CouldNotBeGraded,
    Killed,
    NotDefined,
    NotImplementedYet,
    Outcome,
    Passed,
    QuestionOutOfTime,
    Unusable,
)
from autograder.grading.report import Measure, TestReport
from autograder.grading.signatures import defined_in, parameters_of
from autograder.grading.student import Student
from autograder.testing.expect import Unexpected
from autograder.testing.points import Worth
from autograder.worker import ForkServer, Worker
from pskit.notebook import Question, Release, Submission
from pskit.slicing import slice_for

# A hint names the idea behind a result; it does not help with an answer that is not there.
WITHOUT_HINT = (Passed, NotImplementedYet, NotDefined, QuestionOutOfTime, CouldNotBeGraded)


class Examination:
    """The hidden tests of `question` on a submission, one after the other, within `seconds` of the student's time."""

    def __init__(
        self,
        server: ForkServer,
        release: Release,
        submission: Submission,
        disclosure: Disclosure,
        question: Question,
        seconds: float,
    ) -> None:
        self.question, self._server, self._artifacts = question, server, submission.artifacts
        sliced = slice_for(question.names, release.given, submission.cells)
        self.notes = sliced.notes
        self._judge = Judge(disclosure, sliced.notes)
        self._parameters = parameters_of(piece.source for piece in sliced.pieces)
        self._askable = {*release.names, *self._parameters, *defined_in(cell.source for cell in release.given)}
        self._desk = Desk(self._fork, sliced.pieces, seconds)

    def _fork(self) -> Worker:
        files = {file for part in self.question.parts for file in part.files}
        return self._server.fork({name: data for name, data in self._artifacts.items() if name in files})

    @property
    def host_failed(self) -> HostFailed | None:
        """Set when this machine, and not the submission, failed."""
        return self._desk.host_failed

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What its tests measured for a leaderboard."""
        return tuple(self._desk.measures.values())

    @property
    def memory(self) -> int:
        """MB that its workers took at the most; known once it is closed."""
        return self._desk.memory

    def begin(self, worth: Worth) -> None:
        """A test starts."""
        self._desk.begin(worth.timeout)

    def ps(self) -> Student:
        """The student's code."""
        return Student(self._desk, self._artifacts, self._parameters, self._askable.__contains__)

    def end(self, ended: Ended, worth: Worth) -> tuple[TestReport, str]:
        """The running test ended so: its report, and what staff should know, or ""."""
        calls = self._desk.calls
        self._desk.end()
        outcome: Outcome = Passed()
        if ended.error is not None:
            outcome = self._judge.outcome(ended.error, calls, worth.timeout)
        bare = isinstance(outcome, WITHOUT_HINT)
        report = TestReport(
            name=ended.name,
            claim=ended.claim,
            part=worth.part,
            question=self.question.name,
            number="",
            points=worth.points,
            outcome=outcome,
            hint="" if bare else _hint(ended, worth),
            called="" if bare else calls.in_words(),
            seconds=ended.seconds,
        )
        staff = f"{self.question.name}, {ended.name}: {outcome.detail}" if _doubtful(outcome) else ""
        return report, staff

    def close(self) -> None:
        """The worker goes."""
        self._desk.close()


def _hint(ended: Ended, worth: Worth) -> str:
    """The hint of the comparison that failed, where it has one: it is more specific than the test's."""
    return (isinstance(ended.error, Unexpected) and ended.error.hint) or worth.hint


def _doubtful(outcome: Outcome) -> TypeGuard[CouldNotBeGraded | Unusable | Killed | QuestionOutOfTime]:
    """Whether staff should look: the course or this machine may be to blame."""
    return isinstance(outcome, CouldNotBeGraded | Unusable | Killed | QuestionOutOfTime)
