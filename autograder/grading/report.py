"""What grading one submission found."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from autograder.grading.outcomes import CouldNotBeGraded, NotImplementedYet, Outcome, Passed


@dataclass(frozen=True)
class TestReport:
    """One hidden test: what it claims, what it is worth, what became of it. `number` is "1b.2"."""

    __test__ = False  # not a test of pytest's, whatever its name

    name: str
    claim: str
    part: str
    question: str
    number: str
    points: float
    outcome: Outcome
    hint: str = ""
    called: str = ""
    seconds: float = 0.0

    @property
    def score(self) -> float:
        """All points or none; what the course could not grade costs nothing."""
        return 0.0 if self.outcome.blame == "student" else self.points


@dataclass(frozen=True)
class WrittenPart:
    """A part that people grade; its points are not among this report's."""

    part: str
    title: str
    points: float


@dataclass(frozen=True)
class CheckReport:
    """The public checks of one part as the grader ran them: their state, and what they said where they failed.

    state: "passed", "failed", "not implemented" or "error".
    """

    part: str
    state: str
    messages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measure:
    """A number that a hidden test measured for a leaderboard; `order` is "desc" where higher is better, or "asc"."""

    name: str
    value: float
    order: str


@dataclass(frozen=True)
class Report:
    """One graded submission. `notes` are for the student, `attention` for staff only.

    release, hidden, tool: hashes of the release, of the set's hidden tests and of the code that graded. memory: MB at
    the most, per question, above what every worker starts with.
    """

    set: str
    tests: tuple[TestReport, ...]
    written: tuple[WrittenPart, ...] = ()
    checks: tuple[CheckReport, ...] = ()
    notes: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()
    seed: int = 0
    submission: str = ""
    release: str = ""
    hidden: str = ""
    tool: str = ""
    time_limit: float = 0.0
    walls: tuple[tuple[str, bool, str], ...] = ()
    seconds: float = 0.0
    titles: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, int] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()

    @property
    def score(self) -> float:
        """The points earned, of `max_score`."""
        return tidy(sum(test.score for test in self.tests))

    @property
    def max_score(self) -> float:
        """The points of all hidden tests; written parts are graded by people and not counted here."""
        return tidy(sum(test.points for test in self.tests))

    @property
    def ungraded(self) -> tuple[TestReport, ...]:
        """Tests that the course could not grade."""
        return tuple(test for test in self.tests if isinstance(test.outcome, CouldNotBeGraded))

    @property
    def passed(self) -> int:
        """How many tests passed."""
        return sum(isinstance(test.outcome, Passed) for test in self.tests)

    @property
    def unanswered(self) -> int:
        """How many tests met a released stub."""
        return sum(isinstance(test.outcome, NotImplementedYet) for test in self.tests)


def tidy(points: float) -> float:
    """A sum of points without the dust of binary fractions."""
    return round(points, 6)
