"""What the grader said of each variant, test by test."""

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.grading import Report, render
from autograder.grading.outcomes import (
    CouldNotBeGraded,
    NotDefined,
    NotImplementedYet,
    Outcome,
    Passed,
    RaisedError,
    Unusable,
)

DOES_NOT_RUN = ("NameError", "ImportError", "ModuleNotFoundError", "SyntaxError", "RecursionError")


@dataclass(frozen=True)
class Verdict:
    """One hidden test on one paper. `kind` is "passed", "stub", "broken", "course", "unusable" or "lost"."""

    question: str
    number: str
    test: str
    points: float
    score: float
    kind: str
    sentence: str


@dataclass(frozen=True)
class Row:
    """One paper on one question at one seed."""

    paper: str
    verdict: str
    target: str
    question: str
    seed: int
    verdicts: tuple[Verdict, ...]

    @property
    def full(self) -> bool:
        """Every test passed."""
        return bool(self.verdicts) and all(each.kind == "passed" for each in self.verdicts)

    @property
    def lost(self) -> tuple[str, ...]:
        """The tests that took points."""
        return tuple(each.test for each in self.verdicts if each.score < each.points)


def verdicts_of(report: Report) -> tuple[Verdict, ...]:
    """The report without what verify does not need; plain data that crosses processes."""
    return tuple(
        Verdict(
            test.question,
            test.number,
            test.name,
            test.points,
            test.score,
            kind_of(test.outcome),
            _sentence(test.outcome),
        )
        for test in report.tests
    )


def _sentence(outcome: Outcome) -> str:
    """What students read; for the course's own mistakes what staff read."""
    return outcome.detail if isinstance(outcome, CouldNotBeGraded) else render(outcome)


def kind_of(outcome: Outcome) -> str:
    """What a test's outcome means for the proof."""
    match outcome:
        case Passed():
            return "passed"
        case NotImplementedYet():
            return "stub"
        case CouldNotBeGraded():
            return "course"
        case Unusable():
            return "unusable"
        case NotDefined() | RaisedError(loading=True):
            return "broken"
        case RaisedError(kind=kind) if kind in DOES_NOT_RUN:
            return "broken"
    return "lost"


def rows_of(paper: str, verdict: str, target: str, seed: int, verdicts: Sequence[Verdict]) -> list[Row]:
    """One row per question that the paper was graded on."""
    questions = dict.fromkeys(each.question for each in verdicts)
    return [
        Row(paper, verdict, target, question, seed, tuple(each for each in verdicts if each.question == question))
        for question in questions
    ]
