"""One submission in front of the hidden tests: a desk per question, and every test's outcome in the report's order."""

import ast
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from autograder.grading.checks import run_checks
from autograder.grading.desk import Desk, HostFailed
from autograder.grading.disclosure import Disclosure
from autograder.grading.hidden_tests import Ended, run_hidden_tests
from autograder.grading.judge import Judge, account
from autograder.grading.outcomes import (
    CouldNotBeGraded,
    NotDefined,
    NotImplementedYet,
    Outcome,
    Passed,
    QuestionOutOfTime,
    Unusable,
)
from autograder.grading.report import Report, TestReport, WrittenPart
from autograder.grading.seeds import generator_for
from autograder.grading.student import Student
from autograder.notebook import Part, Question, Release, Submission
from autograder.slicing import Piece, slice_for
from autograder.testing.expect import Unexpected
from autograder.testing.points import Worth
from autograder.worker import ForkServer, Worker

# A hint names the idea behind a result; it does not help with an answer that is not there.
WITHOUT_HINT = (Passed, NotImplementedYet, NotDefined, QuestionOutOfTime, CouldNotBeGraded)


class Sitting:
    """The host of `run_hidden_tests` for one submission; `deadline` is in `time.monotonic()`'s seconds."""

    def __init__(
        self,
        server: ForkServer,
        release: Release,
        submission: Submission,
        disclosure: Disclosure,
        seed: int,
        deadline: float,
    ) -> None:
        self._server, self._release, self._submission = server, release, submission
        self._disclosure, self._seed, self._deadline = disclosure, seed, deadline
        self._started = time.monotonic()
        self._waiting: list[Question] = []
        self._question: Question | None = None
        self._tests: dict[str, list[TestReport]] = defaultdict(list)
        self._notes = list(submission.notes)
        self._attention: list[str] = []
        self.host_failed: HostFailed | None = None

    def run(self, questions: Sequence[Question], hidden_dir: Path) -> None:
        """Judge the code and artifact parts of these questions."""
        self._waiting = list(questions)
        graded = [question for question in questions if any(part.kind != "written" for part in question.parts)]
        files = {question.name: hidden_dir / f"test_{question.name}.py" for question in graded}
        for question in graded:
            if not files[question.name].is_file():
                self.broken(question.name, f"{files[question.name].name} does not exist")
        try:
            run_hidden_tests([file for file in files.values() if file.is_file()], self)
        finally:
            self._leave()
        self._account_for(graded)

    # What pytest's plugin calls.

    def begin(self, question: str, name: str, worth: Worth) -> None:
        """A test starts; a question's first one opens its desk."""
        if self._question is None or self._question.name != question:
            self._leave()
            self._enter(question)
        self._name, self._worth = name, worth
        self._desk.begin(worth.timeout)

    def ps(self) -> Student:
        """The student's code, for the running test."""
        return Student(self._desk, self._submission.artifacts, self._parameters, self._askable.__contains__)

    def rng(self) -> np.random.Generator:
        """The running test's own draws."""
        return generator_for(self._seed, self._current.name, self._name)

    def end(self, ended: Ended) -> None:
        """A test ended: judge it."""
        calls, self.host_failed = self._desk.calls, self.host_failed or self._desk.host_failed
        self._desk.end()
        outcome: Outcome = Passed()
        if ended.error is not None:
            outcome = self._judge.outcome(ended.error, calls, self._worth.timeout)
        if isinstance(outcome, CouldNotBeGraded | Unusable):
            self._attention.append(f"{self._current.name}, {ended.name}: {outcome.detail}")
        hint = ended.error.hint if isinstance(ended.error, Unexpected) and ended.error.hint else self._worth.hint
        more = f" (call {calls.count} of this test)" if calls.count > 1 else ""
        self._tests[ended.question].append(
            TestReport(
                name=ended.name,
                claim=ended.claim,
                part=self._worth.part,
                question=ended.question,
                number="",
                points=self._worth.points,
                outcome=outcome,
                hint="" if isinstance(outcome, WITHOUT_HINT) else hint,
                called="" if isinstance(outcome, WITHOUT_HINT) or not calls.last else calls.last + more,
                seconds=ended.seconds,
            )
        )

    def broken(self, question: str, error: BaseException | str) -> None:
        """A question's hidden tests cannot be run at all: the course's fault, for all of its points."""
        detail = error if isinstance(error, str) else account(error)
        self._attention.append(f"{question}: {detail}")
        found = next(each for each in self._release.questions if each.name == question)
        for part in found.parts:
            if part.kind != "written":
                self._tests[question].append(_unjudged(question, part, detail))

    # Desks.

    @property
    def _current(self) -> Question:
        assert self._question is not None, "a test runs in a question"
        return self._question

    def _enter(self, name: str) -> None:
        self._question = question = next(each for each in self._release.questions if each.name == name)
        share = self._share(question)
        sliced = slice_for(question.names, self._release.given, self._submission.cells)
        self._notes += [note for note in sliced.notes if note not in self._notes]
        self._judge = Judge(self._disclosure, sliced.notes)
        self._parameters = _parameters(sliced.pieces)
        given = [name for cell in self._release.given for name in _bound(cell.source)]
        self._askable = {*self._release.names, *self._parameters, *given}
        self._desk = Desk(self._fork, sliced.pieces, share)

    def _share(self, question: Question) -> float:
        """An equal share of the time that is left, so that a question that hangs does not cost the next one."""
        ahead = self._waiting[self._waiting.index(question) :] if question in self._waiting else [question]
        return max(0.0, self._deadline - time.monotonic()) / len(ahead)

    def _leave(self) -> None:
        if self._question is not None:
            self._desk.close()
            self._question = None

    def _fork(self) -> Worker:
        files = {file for part in self._current.parts for file in part.files}
        return self._server.fork({name: data for name, data in self._submission.artifacts.items() if name in files})

    # The report.

    def _account_for(self, questions: Sequence[Question]) -> None:
        """Every code and artifact part has a test, or staff hear of it."""
        for question in questions:
            tested = {test.part for test in self._tests[question.name]}
            for part in question.parts:
                if part.kind != "written" and part.part not in tested:
                    self._attention.append(f"{question.name}: no hidden test is for part {part.part}")
                    self._tests[question.name].append(_unjudged(question.name, part, "no hidden test"))

    def report(self, walls: tuple[tuple[str, bool, str], ...], release_hash: str, checks: bool) -> Report:
        """Everything that was found, in the release's order; with `checks` the public checks run now."""
        questions, left = self._waiting, self._deadline - time.monotonic()
        run = (self._release, self._submission, questions, self._server.fork, left)
        return Report(
            set=self._release.set,
            tests=tuple(test for question in questions for test in _numbered(question, self._tests[question.name])),
            written=tuple(
                WrittenPart(part.part, part.title, part.points)
                for question in questions
                for part in question.parts
                if part.kind == "written"
            ),
            checks=run_checks(*run) if checks else (),
            notes=tuple(self._notes),
            attention=tuple(self._attention),
            seed=self._seed,
            submission=self._submission.sha256,
            release=release_hash,
            walls=walls,
            seconds=time.monotonic() - self._started,
            titles={question.name: question.title for question in questions},
        )


def _unjudged(question: str, part: Part, detail: str) -> TestReport:
    return TestReport(part.part, part.title, part.part, question, "", part.points, CouldNotBeGraded(detail))


def _numbered(question: Question, tests: Sequence[TestReport]) -> list[TestReport]:
    """Tests by part, in the release's order of parts, counted from 1 within each: "1b.2"."""
    order = {part.part: place for place, part in enumerate(question.parts)}
    counts: Counter[str] = Counter()
    numbered = []
    for test in sorted(tests, key=lambda test: order.get(test.part, len(order))):
        counts[test.part] += 1
        numbered.append(TestReport(**{**vars(test), "number": f"{test.part}.{counts[test.part]}"}))
    return numbered


def _parameters(pieces: Sequence[Piece]) -> Mapping[str, tuple[str, ...]]:
    """The positional parameters of the functions that the slice defines, by function."""
    found: dict[str, tuple[str, ...]] = {}
    for piece in pieces:
        for node in _tree(piece.source).body:
            if isinstance(node, ast.FunctionDef):
                found[node.name] = tuple(arg.arg for arg in [*node.args.posonlyargs, *node.args.args])
    return found


def _bound(source: str) -> list[str]:
    """Functions and classes that a given cell defines at its top."""
    return [node.name for node in _tree(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def _tree(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])
