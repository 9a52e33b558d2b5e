"""Exports, extensions and the course's dates into every student's works."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

from autograder.course import Course, CourseError
from autograder.gradebook.exports import Score, Source, no_export_twice, scores_of
from autograder.gradebook.rule import Settled, Work, settle
from autograder.gradebook.tables import Problems, differ, rows_of
from autograder.grading.lateness import lateness

EXTENSION = ("email", "set", "due")
TOLERANCE = timedelta(minutes=1)  # exports write times in seconds; due dates are set to the minute


@dataclass(frozen=True)
class Student:
    """One student's term. `notes` are what staff should know, such as a set whose export does not list the student."""

    email: str
    name: str
    sid: str
    settled: tuple[Settled, ...]
    notes: tuple[str, ...]

    @property
    def total(self) -> Fraction:
        """The points that count, over all sets."""
        return sum((each.final for each in self.settled), Fraction(0))


def term(course: Course, sources: Sequence[Source], extensions: Path | None) -> list[Student]:
    """Every student by name. Raises Refusal with all that is wrong with the input."""
    problems = Problems()
    own = read_extensions(course, extensions, problems) if extensions else {}
    no_export_twice(sources, problems)
    found = {source: scores_of(source, problems) for source in sources}
    by_student: dict[str, dict[Source, Score]] = defaultdict(dict)
    for source, scores in found.items():
        for score in scores:
            by_student[score.email][source] = score
    for email, name in own:
        if email not in by_student:
            problems.add(f"{extensions}: {email} has an extension for {name} and stands in no export.")
    problems.check()
    most = {source: _most(scores, problems) for source, scores in found.items()}
    students = [_student(course, email, scores, most, own, problems) for email, scores in by_student.items()]
    problems.check()
    return sorted(students, key=lambda student: (student.name.casefold(), student.email))


def _most(scores: Sequence[Score], problems: Problems) -> Fraction:
    """The points of one export, which are the same in each of its rows."""
    first = scores[0].most
    for score in scores:
        if score.most != first:
            problems.add(f"{score.where}: {score.most} points there are, {first} in row {scores[0].row.number}.")
    return first


def _student(
    course: Course,
    email: str,
    scores: Mapping[Source, Score],
    most: Mapping[Source, Fraction],
    own: Mapping[tuple[str, str], datetime],
    problems: Problems,
) -> Student:
    sids = {score.sid for score in scores.values() if score.sid}
    if len(sids) > 1:
        problems.add(
            f"{email} has {len(sids)} student ids: "
            f"{', '.join(f'{s.sid} ({s.where})' for s in scores.values() if s.sid)}."
        )
    works = []
    for name in dict.fromkeys(source.set for source in most):
        parts = [score for source, score in scores.items() if source.set == name]
        of = sum((points for source, points in most.items() if source.set == name), Fraction(0))
        works.append(_work(name, parts, of, own.get((email, name), course.sets[name].due), problems))
    notes = sorted(f"{each.set}: not listed in {each.label}, 0 points from it" for each in most if each not in scores)
    return Student(email, _name(scores.values()), min(sids, default=""), settle(works, course.late), tuple(notes))


def _name(scores: Iterable[Score]) -> str:
    """The fullest of the names that the exports give, in whatever order they are read."""
    return max((score.name for score in scores), key=lambda name: (len(name), name))


def _work(name: str, parts: Sequence[Score], most: Fraction, due: datetime, problems: Problems) -> Work:
    """A set's parts together: their points add up, and the last one that was handed in says when."""
    for score in parts:
        _agrees(score, due, problems)
    at = max((score.at for score in parts if score.at is not None), default=None)
    if at is None:
        _no_points_without_a_time(name, parts, problems)
    return Work(name, sum((score.points for score in parts), Fraction(0)), most, at, due)


def _no_points_without_a_time(name: str, parts: Sequence[Score], problems: Problems) -> None:
    """Note points for what was never handed in, as far as the exports say: nobody knows how late it was."""
    for score in parts:
        if score.points:
            problems.add(
                f"{score.where}: {score.email} has {float(score.points):g} points for {name}, and no export says when "
                f"it was handed in. Give the export that does, {name.partition('_')[0]}=FILE, upload the work on "
                "Gradescope for the student (with an extension, where it was in time), or set the points to 0."
            )


def _agrees(score: Score, due: datetime, problems: Problems) -> None:
    """Gradescope's lateness and ours come from one time and two due dates; where they differ, somebody must say."""
    if score.at is None or score.lateness is None:
        return
    ours = lateness(score.at, due)
    if abs(ours - score.lateness) > TOLERANCE:
        problems.add(
            f"{score.where}, column 'Lateness (H:M:S)': {differ(score.lateness, ours)} by the due date "
            f"{due:%Y-%m-%d %H:%M %Z}. Is there an extension on Gradescope that the file of extensions lacks, "
            "or another due date in course.toml?"
        )


def read_extensions(course: Course, file: Path, problems: Problems) -> dict[tuple[str, str], datetime]:
    """Own due dates by student and set: a CSV file with the columns email, set, due."""
    found: dict[tuple[str, str], datetime] = {}
    for row in rows_of(file, EXTENSION, problems):
        email, due = row.text("email").casefold(), row.moment_in("due", course.timezone)
        try:
            name = course.problem_set(row.text("set")).name
        except CourseError as error:
            row.wrong("set", str(error))
            continue
        if (email, name) in found:
            row.wrong("email", f"{email!r} has an extension for {name} in an earlier row.")
        elif due is not None and due < course.sets[name].due:
            row.wrong("due", f"{due} is before the set's own due date, {course.sets[name].due}.")
        elif due is not None:
            found[email, name] = due
    return found
