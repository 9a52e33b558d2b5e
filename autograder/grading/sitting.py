"""One submission in front of the hidden tests: question after question, every outcome in the report's order."""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from autograder.grading.checks import run_checks
from autograder.grading.desk import HostFailed
from autograder.grading.disclosure import Disclosure
from autograder.grading.examination import Examination
from autograder.grading.hidden_tests import Ended, run_hidden_tests
from autograder.grading.judge import account
from autograder.grading.outcomes import CouldNotBeGraded
from autograder.grading.report import CheckReport, Measure, Report, TestReport, WrittenPart
from autograder.grading.seeds import generator_for
from autograder.grading.student import Student
from autograder.testing.points import Worth
from autograder.worker import ForkServer
from pskit.notebook import Part, Question, Release, Submission


class Sitting:
    """The host of `run_hidden_tests` for one submission; `deadline` is in `time.monotonic()`'s seconds."""

    def __init__(
        self, server: ForkServer, release: Release, submission: Submission, seed: int, deadline: float
    ) -> None:
        self._server, self._release, self._submission = server, release, submission
        self._seed, self._deadline, self._started = seed, deadline, time.monotonic()
        asked = [(part.part, name) for each in release.questions for part in each.parts for name in part.names]
        self._disclosure = Disclosure(submission.cells, asked)
        self._questions: list[Question] = []
        self._open: Examination | None = None
        self._tests: dict[str, list[TestReport]] = defaultdict(list)
        self._measures, self._memory = list[Measure](), dict[str, int]()
        self._notes, self._attention = list(submission.notes), list[str]()
        self._checks: tuple[CheckReport, ...] = ()
        self.host_failed: HostFailed | None = None

    def run(self, questions: Sequence[Question], hidden_dir: Path, checks: bool) -> None:
        """Judge the code and artifact parts of these questions; with `checks` the public checks run, and run first.

        What checks say is shown in full, so nothing that a hidden call left anywhere may be there for them to find.
        """
        self._questions = list(questions)
        if checks:
            fork, left = partial(self._server.fork, sealed=True), self._deadline - time.monotonic()
            self._checks = run_checks(self._release, self._submission, self._questions, fork, left)
        graded = [question for question in questions if graded_parts(question)]
        files = {question.name: hidden_dir / f"test_{question.name}.py" for question in graded}
        for name, file in files.items():
            if not file.is_file():
                self.broken(name, f"{file.name} does not exist")
        try:
            run_hidden_tests([file for file in files.values() if file.is_file()], self)
        finally:
            self._close()
        self._account_for(graded)

    # What pytest's plugin calls.

    def begin(self, question: str, name: str, worth: Worth) -> None:
        """A test starts; a question's first one opens its examination."""
        if self._open is None or self._open.question.name != question:
            self._close()
            self._open = self._examine(self._named(question))
        self._name, self._worth = name, worth
        self._open.begin(worth)

    def ps(self) -> Student:
        """The student's code, for the running test."""
        return self._current.ps()

    def rng(self) -> np.random.Generator:
        """The running test's own draws."""
        return generator_for(self._seed, self._current.question.name, self._name)

    def end(self, ended: Ended) -> None:
        """A test ended: judge it."""
        report, staff = self._current.end(ended, self._worth)
        self._tests[ended.question].append(report)
        self._attention += [staff] if staff else []
        self.host_failed = self.host_failed or self._current.host_failed

    def broken(self, question: str, error: BaseException | str) -> None:
        """A question's hidden tests cannot be run at all: the course's fault, for all of its points."""
        detail = error if isinstance(error, str) else account(error)
        self._attention.append(f"{question}: {detail}")
        self._tests[question] += [_unjudged(question, part, detail) for part in graded_parts(self._named(question))]

    # Examinations.

    @property
    def _current(self) -> Examination:
        assert self._open is not None, "a test runs in a question"
        return self._open

    def _named(self, question: str) -> Question:
        return next(each for each in self._release.questions if each.name == question)

    def _examine(self, question: Question) -> Examination:
        share = self._share(question)
        opened = Examination(self._server, self._release, self._submission, self._disclosure, question, share)
        self._notes += [note for note in opened.notes if note not in self._notes]
        return opened

    def _share(self, question: Question) -> float:
        """An equal share of the time that is left, so that a question that hangs does not cost the next one."""
        ahead = len(self._questions) - self._questions.index(question)
        return max(0.0, self._deadline - time.monotonic()) / ahead

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._measures += self._open.measures
            self._memory[self._open.question.name] = self._open.memory
            self._open = None

    # The report.

    def _account_for(self, questions: Sequence[Question]) -> None:
        """Every code and artifact part has a test, or staff hear of it."""
        for question in questions:
            tested = {test.part for test in self._tests[question.name]}
            for part in graded_parts(question):
                if part.part not in tested:
                    self._attention.append(f"{question.name}: no hidden test is for part {part.part}")
                    self._tests[question.name].append(_unjudged(question.name, part, "no hidden test"))

    def report(self, walls: tuple[tuple[str, bool, str], ...]) -> Report:
        """Everything that was found, in the release's order."""
        questions = self._questions
        written = [part for question in questions for part in question.parts if part.kind == "written"]
        return Report(
            set=self._release.set,
            tests=tuple(test for question in questions for test in _numbered(question, self._tests[question.name])),
            written=tuple(WrittenPart(part.part, part.title, part.points) for part in written),
            checks=self._checks,
            notes=tuple(self._notes),
            attention=tuple(self._attention),
            seed=self._seed,
            submission=self._submission.sha256,
            walls=walls,
            seconds=time.monotonic() - self._started,
            titles={question.name: question.title for question in questions},
            memory={name: megabytes for name, megabytes in self._memory.items() if megabytes},
            measures=tuple(self._measures),
        )


def graded_parts(question: Question) -> list[Part]:
    """The parts that hidden tests judge."""
    return [part for part in question.parts if part.kind != "written"]


def _unjudged(question: str, part: Part, detail: str) -> TestReport:
    return TestReport(part.part, part.title, part.part, question, "", part.points, CouldNotBeGraded(detail))


def _numbered(question: Question, tests: Sequence[TestReport]) -> list[TestReport]:
    """Tests by part, in the release's order of parts, counted from 1 within each: "1b.2"."""
    order = {part.part: place for place, part in enumerate(question.parts)}
    counts: Counter[str] = Counter()
    numbered = []
    for test in sorted(tests, key=lambda test: order.get(test.part, len(order))):
        counts[test.part] += 1
        numbered.append(replace(test, number=f"{test.part}.{counts[test.part]}"))
    return numbered
