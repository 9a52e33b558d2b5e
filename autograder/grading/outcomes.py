"""Everything that can become of one hidden test, as types. `messages.render` turns each into words."""

from dataclasses import dataclass
from typing import Literal

Blame = Literal["nobody", "student", "course"]


@dataclass(frozen=True)
class Place:
    """Where in the student's notebook: a cell by number, a line in it, the function, and the line's own text."""

    cell: int
    line: int
    function: str
    text: str


@dataclass(frozen=True)
class Outcome:
    """What became of a test. `blame` decides what it costs: only what is the student's own costs points."""

    @property
    def blame(self) -> Blame:
        """Whose doing it is."""
        return "student"


@dataclass(frozen=True)
class Passed(Outcome):
    """Everything that the test expects holds."""

    @property
    def blame(self) -> Blame:
        """Nobody's."""
        return "nobody"


@dataclass(frozen=True)
class NotImplementedYet(Outcome):
    """The released stub was reached: "Question 1a: fit_gaussian", or "" where the text names no question."""

    stub: str


@dataclass(frozen=True)
class NotHandedIn(NotImplementedYet):
    """The artifact `stub` ("ps1_gmm.safetensors") is not part of the submission."""


@dataclass(frozen=True)
class NotDefined(Outcome):
    """The code that is graded does not define a name. `note` is the slice's own sentence on it, or ""."""

    name: str
    note: str = ""
    place: Place | None = None


@dataclass(frozen=True)
class RaisedError(Outcome):
    """The student's code raised. `text` is None where it was withheld; `loading` before any function was called."""

    kind: str
    place: Place | None
    text: str | None
    loading: bool = False


@dataclass(frozen=True)
class TooSlow(Outcome):
    """The test's calls took longer than it allows."""

    seconds: float


@dataclass(frozen=True)
class QuestionOutOfTime(Outcome):
    """Earlier tests used up the time that this question has; this one was not run to its end."""

    seconds: float

    @property
    def detail(self) -> str:
        """For staff: a slow machine may be to blame."""
        return f"its {self.seconds:.0f} s were used up; if this machine was busy, grade again, or with more time"


@dataclass(frozen=True)
class ProcessEnded(Outcome):
    """The process that ran the student's code ended: `how` in words ("exit code 3", "segmentation fault")."""

    how: str


@dataclass(frozen=True)
class Killed(Outcome):
    """The process was killed from outside, or by itself: nobody can tell. `detail` is for staff."""

    detail: str


@dataclass(frozen=True)
class TooMuchMemory(Outcome):
    """The student's code needs more memory than it is given."""

    megabytes: int | None


@dataclass(frozen=True)
class BadAnswer(Outcome):
    """What came back cannot be read by the grader, a result or an artifact: too large, too deep, not plain data."""

    sentence: str


@dataclass(frozen=True)
class Different(Outcome):
    """The result differs from what was asked for in type, shape, dtype, finiteness or value. `what` holds no value."""

    aspect: str
    what: str


@dataclass(frozen=True)
class Unusable(Outcome):
    """The hidden test could not continue with what came back. `detail` is for staff: the test may be to blame."""

    returned: str
    detail: str


@dataclass(frozen=True)
class CouldNotBeGraded(Outcome):
    """The course's own mistake. `detail` is for staff only: it may name hidden files and lines."""

    detail: str

    @property
    def blame(self) -> Blame:
        """The course's: no points are lost."""
        return "course"
