"""One set's scores from an export: Gradescope's of an assignment or the course, nbgrader's, `grade`'s grades.csv."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

from autograder.course import did_you_mean
from autograder.gradebook.tables import Problems, Row, rows_of

SUBMITTED, LATENESS, STATUS = "Submission Time", "Lateness (H:M:S)", "Status"
TOTAL, MOST = "Total Score", "Max Points"
NBGRADERS = "assignment,"  # how its header begins
NBGRADER = ("assignment", "max_score", "student_id", "email", "score")  # of `nbgrader export`
OURS = ("submission", "email", "created_at", "score", "max_score", "state")


@dataclass(frozen=True)
class Source:
    """Where a set's points stand: a file, and for a course's export the name of the assignment in it.

    `points_only`: its times are not the students', as of papers that staff uploaded.
    """

    set: str
    file: Path
    assignment: str = ""
    points_only: bool = False

    @property
    def label(self) -> str:
        """The file, and the assignment where one was named, for messages."""
        return f"{self.file.name}#{self.assignment}" if self.assignment else self.file.name


@dataclass(frozen=True)
class Score:
    """One student in one export. `at` is None where nothing was handed in or the export cannot say when; `lateness` is
    the export's own, if any.
    """

    email: str
    name: str
    sid: str
    points: Fraction
    most: Fraction
    at: datetime | None
    lateness: timedelta | None
    row: Row

    @property
    def where(self) -> str:
        """File and row, for messages."""
        return f"{self.row.file.name}, row {self.row.number}"


def scores_of(source: Source, problems: Problems) -> list[Score]:
    """Every student of the export; what cannot be read is noted, and an export of nobody is."""
    before = len(problems.found)
    found = [score for row in _rows(source, problems) if (score := _score(source, row)) is not None]
    if not found and len(problems.found) == before:
        problems.add(f"{source.file.name}: there is a header, and no student under it. Export it again.")
    seen: dict[str, Score] = {}
    for score in found:
        if score.email in seen:
            earlier = seen[score.email].row.number
            score.row.wrong("Email", f"{score.email!r} stands in row {earlier} already. Which one counts?")
        seen.setdefault(score.email, score)
    return list(seen.values())


def no_export_twice(sources: Sequence[Source], problems: Problems) -> None:
    """Note each export that is given again, also under another name: its points would count twice."""
    seen: dict[tuple[bytes | Path, str], Source] = {}
    for source in sources:
        assignment = _nbgraders_assignment(source) if _begins(source.file, NBGRADERS) else source.assignment
        earlier = seen.setdefault((_content(source.file), assignment), source)
        if earlier is not source:
            problems.add(
                f"{source.label} for {source.set} is what {earlier.label} for {earlier.set} is already. "
                "Give each export once, or its points count twice."
            )


def _content(file: Path) -> bytes | Path:
    try:
        return file.read_bytes()
    except OSError:
        return file  # which is noted where its rows are read


def _rows(source: Source, problems: Problems) -> Iterable[Row]:
    if _begins(source.file, "submission,"):
        return rows_of(source.file, OURS, problems)
    if _begins(source.file, NBGRADERS):
        return _nbgraders_rows(source, problems)
    if source.assignment:
        names = ("Email", *(column.strip() for column in _columns(source)))
        return rows_of(source.file, names, problems)
    return rows_of(source.file, ("Email", TOTAL, MOST, STATUS, SUBMITTED, LATENESS), problems)


def _begins(file: Path, words: str) -> bool:
    try:
        with file.open(encoding="utf-8-sig") as opened:
            return opened.readline().startswith(words)
    except (OSError, UnicodeDecodeError):
        return False


def _nbgraders_assignment(source: Source) -> str:
    return source.assignment or source.set.partition("_")[0]


def _nbgraders_rows(source: Source, problems: Problems) -> list[Row]:
    """nbgrader's export holds all assignments; the rows of one, which must be there."""
    rows, wanted = list(rows_of(source.file, NBGRADER, problems)), _nbgraders_assignment(source)
    chosen = [row for row in rows if row.text("assignment") == wanted]
    if rows and not chosen:
        names = {row.text("assignment") for row in rows}
        problems.add(
            f"{source.file.name}, column 'assignment': no row is of {wanted!r}. {did_you_mean(wanted, names)} "
            f"Name the assignment, {source.set.partition('_')[0]}={source.file.name}#ASSIGNMENT."
        )
    return chosen


def _columns(source: Source) -> tuple[str, str, str, str]:
    """Score, points there are, time, lateness: an assignment's columns in a course's export bear its name."""
    if not source.assignment:
        return TOTAL, MOST, SUBMITTED, LATENESS
    name = source.assignment
    return name, f"{name} - {MOST}", f"{name} - {SUBMITTED}", f"{name} - {LATENESS}"


def _score(source: Source, row: Row) -> Score | None:
    column = "Email" if "Email" in row.cells else "email"
    if "student_id" in row.cells and not row.text(column):
        column = "student_id"  # nbgrader's students have ids; where they are addresses, they will do
    email = row.text(column).casefold()
    if "@" not in email:
        row.wrong(column, f"{email!r} is no address, and students are told apart by it.")
        return None
    if "student_id" in row.cells:
        return _nbgraders(row, email)
    return _ours(source, row, email) if "created_at" in row.cells else _gradescopes(source, row, email)


def _nbgraders(row: Row, email: str) -> Score | None:
    """Points of people. When it was handed in, the set's other export says: nbgrader knows when files were copied."""
    points, most = row.number_in("score"), row.number_in("max_score")
    if points is None or most is None:
        return None
    name = f"{row.text('first_name')} {row.text('last_name')}".strip()
    return Score(email, name, "", points, most, None, None, row)


def _gradescopes(source: Source, row: Row, email: str) -> Score | None:
    total, most, submitted, late = _columns(source)
    points_there_are = row.number_in(most)
    handed_in = bool(row.text(submitted))
    if not _is_settled(row, handed_in, total):
        return None
    points = row.number_in(total) if handed_in else Fraction(0)
    timed = handed_in and not source.points_only
    at = row.moment_in(submitted) if timed else None
    lateness = row.duration_in(late) if timed else None
    if points_there_are is None or points is None or (timed and (at is None or lateness is None)):
        return None
    return Score(email, _name(row), row.text("SID"), points, points_there_are, at, lateness, row)


def _is_settled(row: Row, handed_in: bool, total: str) -> bool:
    """Whether the row says one thing: graded with a time, or missing without one."""
    status = row.text(STATUS) or ("Graded" if handed_in else "Missing")
    if status == "Graded" and handed_in:
        return True
    if status == "Missing" and not handed_in:
        if row.text(total) not in ("", "0", "0.0"):
            row.wrong(total, f"{row.text(total)!r} points for what was never handed in.")
            return False
        return True
    if status == "Ungraded":
        row.wrong(STATUS, "not graded yet: grade it, then export again.")
    else:
        row.wrong(STATUS, f"{status!r} {'with' if handed_in else 'without'} a submission time.")
    return False


def _ours(source: Source, row: Row, email: str) -> Score | None:
    if row.text("state") == "not graded":
        row.wrong("state", "not graded: run `grade` again, or grade it by hand.")
        return None
    points, most = row.number_in("score"), row.number_in("max_score")
    at = None if source.points_only else row.moment_in("created_at")
    if points is None or most is None or (at is None and not source.points_only):
        return None
    return Score(email, row.text("name"), row.text("sid"), points, most, at, None, row)


def _name(row: Row) -> str:
    return row.text("Name") or f"{row.text('First Name')} {row.text('Last Name')}".strip()
