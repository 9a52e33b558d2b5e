"""The term as `course.toml` tells it: sets, questions in order, dates, late policy, the public mirror."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from autograder.course.errors import CourseError, did_you_mean


@dataclass(frozen=True)
class Late:
    """Late hours per student over all sets, and what each started hour costs once they are used up."""

    hours: int
    percent_per_hour: float


@dataclass(frozen=True)
class Gradescope:
    """What Gradescope shows, and how often it grades.

    hidden_tests: the visibility of the hidden tests' lines, "visible", "after_due_date" or "after_published".
    leaderboard: whether the artifact questions' measures stand on the class's leaderboard.
    uploads: how many uploads of a student are graded in any `hours` hours; 0 for any number.
    """

    hidden_tests: str = "visible"
    leaderboard: bool = False
    uploads: int = 0
    hours: int = 24


@dataclass(frozen=True)
class ProblemSet:
    """One set: its questions in release order are `core` and then `extensions`; `due` carries the time zone."""

    name: str
    title: str
    due: datetime
    core: tuple[str, ...]
    available: tuple[str, ...]
    extensions: tuple[str, ...]

    @property
    def questions(self) -> tuple[str, ...]:
        """Names of this term's questions, in release order."""
        return self.core + self.extensions

    @property
    def short(self) -> str:
        """`ps1` of `ps1_probabilistic`."""
        return self.name.split("_")[0]

    @property
    def notebook(self) -> str:
        """File name of the student notebook, `ps1.ipynb`."""
        return f"{self.short}.ipynb"


@dataclass(frozen=True)
class Course:
    """The term. `root` is the folder that holds `course.toml`; `core_points` is what each set's core sums to."""

    root: Path
    title: str
    term: str
    timezone: ZoneInfo
    mirror: str
    mirror_ref: str
    hidden_seed: int
    late: Late
    core_points: int
    sets: Mapping[str, ProblemSet]
    gradescope: Gradescope = Gradescope()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sets", MappingProxyType(dict(self.sets)))

    def problem_set(self, name: str) -> ProblemSet:
        """The set called `ps1_probabilistic`, `ps1_probabilistic/` or `ps1`; CourseError where there is none."""
        wanted = name.rstrip("/")
        for each in self.sets.values():
            if wanted in (each.name, each.short):
                return each
        raise CourseError(f"course.toml has no set {name!r}. {did_you_mean(wanted, self.sets)}")

    def release(self, name: str) -> Path:
        """The student notebook of the set of this name; CourseError where there is no such set."""
        plan = self.problem_set(name)
        return self.root / plan.name / plan.notebook
