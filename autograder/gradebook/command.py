"""A class's grades with late hours, from Gradescope's grade exports or the grades.csv of `grade`.

Name each set's exports: ps1=code.csv ps1+=written.csv ps2=code.csv. Points of one set's exports add up. += takes points
and no times: of papers that staff uploaded after the deadline, Gradescope knows when staff did. From an export of the
whole course: ps1=course.csv#ASSIGNMENT. Extensions are a CSV file with the columns email, set, due.

Exit codes: 0 written, 1 something in the input cannot be read, and then nothing is written.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.course import Course, Refusal, load_course

if TYPE_CHECKING:
    from autograder.gradebook.exports import Source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words after `gradebook`."""
    parser.add_argument(
        "exports", metavar="SET=FILE[#ASSIGNMENT]", nargs="+", help="scores of a set; += for points only"
    )
    parser.add_argument("--extensions", metavar="FILE", type=Path, help="own due dates: email, set, due")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, default=Path("grades"), help="default: grades/")
    parser.add_argument("--root", type=Path, help="the folder of course.toml (default: this repository)")


def run(arguments: argparse.Namespace) -> int:
    """Write the gradebook; 0."""
    from autograder.gradebook.term import term
    from autograder.gradebook.written import write_gradebook

    course = load_course(arguments.root)
    students = term(course, [_source(course, words) for words in arguments.exports], arguments.extensions)
    for student in students:
        for note in student.notes:
            print(f"gradebook: {student.email}: {note}", file=sys.stderr)
    write_gradebook(course, students, arguments.output)
    print(f"{len(students)} students: {arguments.output / 'gradebook.csv'}, gradebook.html, canvas.csv, hours.csv")
    return 0


def _source(course: Course, words: str) -> "Source":
    from autograder.gradebook.exports import Source

    name, equals, rest = words.partition("=")
    if not equals or not rest:
        raise Refusal(f"gradebook: {words!r} is not SET=FILE or SET+=FILE, such as ps1=scores.csv.")
    file, _, assignment = rest.partition("#")
    chosen = course.problem_set(name.removesuffix("+")).name
    return Source(chosen, Path(file), assignment, points_only=name.endswith("+"))
