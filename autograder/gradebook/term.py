"""Exports, extensions and the course's dates into every student's works."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

from autograder.course import Course, CourseError
from autograder.gradebook.exports import Score, Source, scores_of
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
    found = {source: scores_of(source, problems) for source in sources}
    by_student: dict[str, dict[str, list[Score]]] = defaultdict(lambda: defaultdict(list))
    for source, scores in found.items():
        for score in scores:
            by_student[score.email][source.set].append(score)
    for email, name in own:
        if email not in by_student:
            problems.add(f"{extensions}: {email} has an extension for {name} and stands in no export.")
    problems.check()
    sets = list(dict.fromkeys(source.set for source in sources))
    most = {
        name: sum((_most(found[each], problems) for each in sources if each.set == name), Fraction(0)) for name in sets
    }
    students = [_student(course, email, scores, most, own, problems) for email, scores in by_student.items()]
    problems.check()
    return sorted(students, key=lambda student: (student.name.casefold(), student.email))


def _most(scores: Sequence[Score], problems: Problems) -> Fraction:
    """The points of one export, which are the same in each of its rows."""
    first = scores[0].most if scores else Fraction(0)
    for score in scores:
        if score.most != first:
            problems.add(f"{score.where}: {score.most} points there are, {first} in row {scores[0].row.number}.")
    return first


def _student(
    course: Course,
    email: str,
    scores: Mapping[str, Sequence[Score]],
    most: Mapping[str, Fraction],
    own: Mapping[tuple[str, str], datetime],
    problems: Problems,
) -> Student:
    every = [score for each in scores.values() for score in each]
    sids = {score.sid for score in every if score.sid}
    if len(sids) > 1:
        problems.add(
            f"{email} has {len(sids)} student ids: {', '.join(f'{s.sid} ({s.where})' for s in every if s.sid)}."
        )
    works = [_work(course, name, scores.get(name, ()), most[name], own.get((email, name)), problems) for name in most]
    notes = tuple(f"not listed in the export of {name}: 0 points" for name in most if not scores.get(name))
    name = next((score.name for score in every if score.name), "")
    return Student(email, name, min(sids, default=""), settle(works, course.late), notes)


def _work(
    course: Course, name: str, scores: Sequence[Score], most: Fraction, own: datetime | None, problems: Problems
) -> Work:
    """A set's parts together: their points add up, and the last one that was handed in says when."""
    due = own or course.sets[name].due
    for score in scores:
        _agrees(score, due, problems)
    at = max((score.at for score in scores if score.at is not None), default=None)
    return Work(name, sum((score.points for score in scores), Fraction(0)), most, at, due)


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
