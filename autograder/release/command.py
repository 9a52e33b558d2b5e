"""Build the student notebooks from solutions/, or tell whether the committed ones are current.

A refused build writes nothing. Exit code 1: refused, or (--check) not current.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from autograder.course import Course, ProblemSet, load_course
from autograder.release.build import build_release, release_files
from autograder.release.diff import differences
from autograder.release.files import committed, write
from autograder.source import read_draft


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `release`."""
    parser.add_argument("sets", nargs="*", metavar="PS", help="ps1 or ps1_probabilistic; all sets of the term if none")
    parser.add_argument("--root", type=Path, help="the folder of course.toml (default: this repository)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="write nothing; show how the committed release differs")
    how.add_argument(
        "--draft",
        type=Path,
        metavar="FOLDER",
        help="write what exists so far to FOLDER, with all extensions and without comparing points with tests",
    )


def run(arguments: argparse.Namespace) -> int:
    """Build all wanted sets first, and only then write."""
    course = load_course(arguments.root)
    plans = [course.problem_set(name) for name in arguments.sets] or list(course.sets.values())
    if arguments.draft:
        return _draft(course, plans, arguments.draft)
    builds = {plan.name: build_release(course, plan) for plan in plans}
    return _check(course, builds) if arguments.check else _write(course.root, builds)


def _draft(course: Course, plans: list[ProblemSet], folder: Path) -> int:
    """Every question that has a source, extensions outside this term's included."""
    whole = [replace(plan, extensions=plan.available) for plan in plans]
    return _write(folder, {plan.name: release_files(course, read_draft(course, plan)) for plan in whole})


def _write(root: Path, builds: Mapping[str, Mapping[str, bytes]]) -> int:
    for name, files in builds.items():
        changed = write(root / name, files)
        print(f"{name}: {', '.join(changed) + ' written' if changed else 'already current'}")
    return 0


def _check(course: Course, builds: Mapping[str, Mapping[str, bytes]]) -> int:
    texts = {name: differences(name, committed(course.root / name), files) for name, files in builds.items()}
    for name, text in texts.items():
        print(text or f"{name}: current", end="" if text else "\n")
    stale = [name for name, text in texts.items() if text]
    if stale:
        again = f"python -m autograder release {' '.join(stale)}"
        print(f"Not current: {', '.join(stale)}. Run `{again}` and commit.", file=sys.stderr)
    return 1 if stale else 0
