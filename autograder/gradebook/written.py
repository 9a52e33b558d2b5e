"""The gradebook's files: a table that explains each number, Canvas's CSV, everybody's hours, and a page."""

import csv
import io
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

from autograder.batch.grades import plain
from autograder.course import Course
from autograder.gradebook.rule import Settled, left
from autograder.gradebook.term import Student
from autograder.grading.lateness import in_words
from autograder.pages import render_page, write_page

COLUMNS = (
    *("name", "email", "sid", "set", "points", "of", "submitted", "due", "late", "late_hours", "hours_before"),
    *("charged", "unpaid", "deduction", "final", "explanation"),
)


def write_gradebook(course: Course, students: Sequence[Student], folder: Path) -> None:
    """gradebook.csv, canvas.csv, hours.csv and gradebook.html."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gradebook.csv").write_text(gradebook_csv(course, students), encoding="utf-8")
    (folder / "canvas.csv").write_text(canvas_csv(course, students), encoding="utf-8")
    (folder / "hours.csv").write_text(hours_csv(course, students), encoding="utf-8")
    write_page(folder / "gradebook.html", gradebook_page(course, students))


def decimal(value: Fraction) -> str:
    """As a decimal, exact where it ends within six places."""
    return f"{float(value):.6f}".rstrip("0").rstrip(".") or "0"


def gradebook_csv(course: Course, students: Sequence[Student]) -> str:
    """A row per student and set."""
    return _table(
        COLUMNS,
        (
            [student.name, student.email, student.sid, *_numbers(course.timezone, each), explanation(course, each)]
            for student in students
            for each in student.settled
        ),
    )


def _numbers(zone: ZoneInfo, each: Settled) -> list[str]:
    work = each.work
    at = "" if work.at is None else work.at.astimezone(zone).isoformat()
    numbers = [str(number) for number in (work.hours, each.before, each.charged, each.unpaid)]
    points = [decimal(value) for value in (work.points, work.most)]
    end = [decimal(value) for value in (each.deduction, each.final)]
    return [work.set, *points, at, work.due.isoformat(), in_words(work.late) if work.late else "", *numbers, *end]


def explanation(course: Course, each: Settled) -> str:
    """One number's whole story in a sentence or two."""
    work, percent = each.work, f"{course.late.percent_per_hour:g} %"
    if work.at is None:
        return "Not handed in: 0 points, and no late hours."
    start = f"{decimal(work.points)} of {decimal(work.most)} points"
    if not work.hours:
        return f"{start}, handed in on time."
    paid = f"{each.charged} of them from the account of late hours"
    said = f"{start}, {in_words(work.late)} late: {_hours(work.hours)}, {paid}"
    if not each.unpaid:
        return f"{said}. Nothing is deducted."
    floor = " No set falls below 0." if each.deduction > work.points else ""
    return (
        f"{said}, {each.unpaid} beyond it: {each.unpaid} x {percent} of {decimal(work.most)} points = "
        f"{decimal(each.deduction)} points are deducted.{floor} {decimal(each.final)} points count."
    )


def _hours(count: int) -> str:
    return f"{count} started hour" if count == 1 else f"{count} started hours"


def canvas_csv(course: Course, students: Sequence[Student]) -> str:
    """Canvas's gradebook import: students by SIS ids, a column per set, the points possible in the second row."""
    sets = [each.work.set for each in students[0].settled] if students else []
    header = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section", *(course.sets[name].title for name in sets))
    possible = [decimal(each.work.most) for each in students[0].settled] if students else []
    rows = [["    Points Possible", "", "", "", "", *possible]]
    for student in students:
        rows.append(
            [student.name, "", student.sid, student.email, "", *(decimal(each.final) for each in student.settled)]
        )
    return _table(header, rows, keep_first=True)


def hours_csv(course: Course, students: Sequence[Student]) -> str:
    """What is left of everybody's late hours."""
    rows = (
        [
            student.name,
            student.email,
            student.sid,
            str(course.late.hours - left(student.settled, course.late)),
            str(left(student.settled, course.late)),
            str(sum(each.unpaid for each in student.settled)),
        ]
        for student in students
    )
    return _table(("name", "email", "sid", "charged", "left", "beyond"), rows)


def _table(header: Iterable[str], rows: Iterable[Sequence[str]], *, keep_first: bool = False) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for number, row in enumerate(rows):
        writer.writerow(row if keep_first and number == 0 else [plain(cell) for cell in row])
    return text.getvalue()


def gradebook_page(course: Course, students: Sequence[Student]) -> str:
    """Every student with every number's explanation."""
    values = {
        "course": course,
        "students": students,
        "explain": lambda each: explanation(course, each),
        "left": lambda student: left(student.settled, course.late),
        "decimal": decimal,
    }
    return render_page("autograder.gradebook", "gradebook.html", values)
