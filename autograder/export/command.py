"""Write a set for other programs: `export nbgrader DIR` or `export otter DIR`.

nbgrader: a course folder with solutions inside. For staff alone; `nbgrader generate_assignment` makes the students'.
otter: the release with tests, for `otter check`; `otter generate` makes the zip for `otter run`.
Both grade by public checks; hidden tests and their points' proof are `grade`'s and `verify`'s.
"""

import argparse
from pathlib import Path

from autograder.course import load_course


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words after `export`."""
    parser.add_argument("program", choices=("nbgrader", "otter"), help="whom it is for")
    parser.add_argument("folder", metavar="DIR", type=Path, help="a folder; files of these names in it are replaced")
    parser.add_argument("sets", metavar="PS", nargs="*", help="ps1 or ps1_probabilistic; all sets where none is named")
    parser.add_argument("--written", action="store_true", help="nbgrader: points for the written answers only")
    parser.add_argument("--root", type=Path, help="the folder of course.toml (default: this repository)")


def run(arguments: argparse.Namespace) -> int:
    """Write; 0."""
    from autograder.export.for_nbgrader import nbgrader_files
    from autograder.export.for_otter import otter_files
    from autograder.source import read_set

    course = load_course(arguments.root)
    plans = [course.problem_set(name) for name in arguments.sets] or list(course.sets.values())
    sources = [read_set(course, plan) for plan in plans]
    if arguments.program == "nbgrader":
        files = nbgrader_files(course, sources, written=arguments.written)
    else:
        files = otter_files(course, sources)
    for name, data in files.items():
        place = arguments.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    print(f"{len(files)} files in {arguments.folder}")
    return 0
