"""`course.toml` into dataclasses."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from autograder.course.clock import moment_of
from autograder.course.errors import CourseError, did_you_mean
from autograder.course.fields import Table
from autograder.course.model import Course, Gradescope, Late, ProblemSet

FILE = "course.toml"
COURSE_KEYS = ("title", "term", "timezone", "mirror", "mirror_ref", "hidden_seed")
GRADESCOPE_KEYS = ("hidden_tests", "leaderboard", "uploads", "hours")
VISIBILITIES = ("visible", "after_due_date", "after_published")  # "hidden" would hide the total for ever
SET_KEYS = ("title", "due", "core", "available", "extensions")
SET_NAME = re.compile(r"ps\d+_[a-z0-9_]+")
QUESTION_NAME = re.compile(r"[qx]\d+_[a-z0-9_]+")


def repository_root() -> Path:
    """The folder of `course.toml`: above this package, or above the current folder where it is installed elsewhere."""
    for start in (Path(__file__).resolve(), Path.cwd() / FILE):
        for folder in start.parents:
            if (folder / FILE).is_file():
                return folder
    raise CourseError("No course.toml above this package or above the current folder. Run inside the repository.")


def load_course(root: Path | None = None) -> Course:
    """The course at `root`, or of the repository that this package is part of, wherever it is called from."""
    return read_course(root or repository_root())


def read_course(path: Path) -> Course:
    """Read the file, or the `course.toml` of the folder."""
    file = (path / FILE if path.is_dir() else path).resolve()
    top = Table("", _parse(file), ("course", "late", "points", "sets", "gradescope"))
    course = top.table("course", COURSE_KEYS)
    late = top.table("late", ("hours", "percent_per_hour"))
    zone = _zone(course)
    return Course(
        root=file.parent,
        title=course.text("title"),
        term=course.text("term"),
        timezone=zone,
        mirror=_mirror(course),
        mirror_ref=course.text("mirror_ref", "a branch, tag or commit of the mirror"),
        hidden_seed=course.whole("hidden_seed", 0, "the hidden draws' seed"),
        late=Late(late.whole("hours", 0, "hours"), late.number("percent_per_hour", 0, 100, "percent")),
        core_points=top.table("points", ("core",)).whole("core", 1, "points"),
        sets=_sets(top, zone),
        gradescope=_gradescope(top),
    )


def _gradescope(top: Table) -> Gradescope:
    """The table may be missing, and each of its keys."""
    usual = Gradescope()
    if "gradescope" not in top.values:
        return usual
    table = top.table("gradescope", GRADESCOPE_KEYS)
    given = table.values
    return Gradescope(
        table.one_of("hidden_tests", VISIBILITIES) if "hidden_tests" in given else usual.hidden_tests,
        table.switch("leaderboard") if "leaderboard" in given else usual.leaderboard,
        table.whole("uploads", 0, "uploads") if "uploads" in given else usual.uploads,
        table.whole("hours", 1, "hours") if "hours" in given else usual.hours,
    )


def _parse(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(f"There is no {file.name} in {file.parent}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CourseError(f"{file.name} is not valid TOML: {error}.") from None


def _zone(course: Table) -> ZoneInfo:
    allowed = "a time zone's name, such as 'America/New_York'"
    try:
        return ZoneInfo(course.text("timezone", allowed))
    except (KeyError, ValueError, OSError):
        raise course.wrong("timezone", allowed) from None


def _mirror(course: Table) -> str:
    allowed = "the address of a GitHub repository, 'https://github.com/OWNER/NAME'"
    value = course.text("mirror", allowed)
    hosts = r"https://github\.com|http://127\.0\.0\.1:\d+"  # this machine itself: to try a mirror before it is public
    if not re.fullmatch(rf"({hosts})/[\w.-]+/[\w.-]+", value):
        raise course.wrong("mirror", allowed)
    return value


def _sets(top: Table, zone: ZoneInfo) -> dict[str, ProblemSet]:
    names = top.take("sets", "tables, [sets.psN_topic]")
    sets = top.table("sets", names if isinstance(names, dict) else ())
    _short_names_differ(sets.values)
    return {name: _problem_set(name, sets.table(name, SET_KEYS), zone) for name in sets.values}


def _short_names_differ(names: Iterable[str]) -> None:
    for name in names:
        if not SET_NAME.fullmatch(name):
            raise CourseError(f"course.toml: the set {name!r} must be called psN_topic, such as 'ps1_probabilistic'.")
    for short, count in Counter(name.split("_")[0] for name in names).items():
        if count > 1:
            raise CourseError(f"course.toml: {count} sets are called {short}; each set needs its own number.")


def _problem_set(name: str, table: Table, zone: ZoneInfo) -> ProblemSet:
    core, available, extensions = (table.names(key) for key in ("core", "available", "extensions"))
    _questions_are_sound(table, core, available)
    for wanted in extensions:
        if extensions.count(wanted) > 1:
            raise CourseError(f"course.toml: {table.path('extensions')} lists {wanted!r} twice.")
        if wanted not in available:
            near = did_you_mean(wanted, available)
            raise CourseError(f"course.toml: {table.path('extensions')} has {wanted!r}, which is not available. {near}")
    return ProblemSet(name, table.text("title"), _due(table, zone), core, available, extensions)


def _due(table: Table, zone: ZoneInfo) -> datetime:
    shown = table.moment("due")
    due = moment_of(shown, zone)
    if due is None:
        raise CourseError(
            f"course.toml: {table.path('due')} is {shown}, which is not one point in time in {zone.key}: the clocks "
            "change. Choose a time before or after that."
        )
    return due


def _questions_are_sound(table: Table, core: tuple[str, ...], available: tuple[str, ...]) -> None:
    if not core:
        raise table.wrong("core", "a list of at least one question name")
    for question, count in Counter(core + available).items():
        if count > 1:
            raise CourseError(f"course.toml: [{table.name}] lists the question {question!r} twice.")
        if not QUESTION_NAME.fullmatch(question):
            allowed = "qN_topic or xN_topic, such as 'q1_gaussian'"
            raise CourseError(
                f"course.toml: [{table.name}] has the question {question!r}; it must be called {allowed}."
            )
