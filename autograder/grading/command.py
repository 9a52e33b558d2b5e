"""Grade submissions of one set and write a results.json for each.

Exit codes: 0 graded, 1 something could not be graded, 2 a wrong command line.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from autograder.course import Course, Refusal, load_course


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words after `grade`."""
    parser.add_argument("set", metavar="PS", help="the set, ps1 or ps1_probabilistic")
    parser.add_argument("submissions", metavar="SUBMISSION", nargs="+", type=Path, help=".ipynb, .py, .zip or a folder")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, default=Path("graded"), help="default: graded/")
    parser.add_argument("--seed", type=int, help="of the hidden draws (default: the term's)")
    parser.add_argument("--release", metavar="PATH", type=Path, help="the release to grade against")
    parser.add_argument("--hidden", metavar="DIR", type=Path, help="the folder of the hidden tests")
    parser.add_argument("--question", metavar="NAME", action="append", help="grade this question only; may be repeated")
    parser.add_argument("--isolation", choices=("auto", "strict"), default="auto", help="strict: refuse without a wall")
    parser.add_argument("--time-limit", metavar="S", type=float, default=480.0, help="seconds per submission (480)")


def run(arguments: argparse.Namespace) -> int:
    """Grade every submission; the exit code."""
    from autograder.grading.batch import Batch  # torch and pytest load only here, after --help

    course = load_course()
    set_name, release, hidden = _places(course, arguments)
    wanted = Batch(
        set_name=set_name,
        release=release,
        hidden=hidden,
        seed=course.hidden_seed if arguments.seed is None else arguments.seed,
        isolation=arguments.isolation,
        time_limit=arguments.time_limit,
        questions=arguments.question,
    )
    return wanted.grade(result_folders(arguments.submissions, arguments.output))


def _places(course: Course, arguments: argparse.Namespace) -> tuple[str, Path, Path]:
    """The set's name, its release, its hidden tests. A release and hidden tests of another set may be named."""
    if arguments.release is not None and arguments.hidden is not None:
        return arguments.set, arguments.release, arguments.hidden
    chosen = course.problem_set(arguments.set)
    release = arguments.release or course.root / chosen.name / chosen.notebook
    hidden = arguments.hidden or course.root / "autograder" / "hidden" / chosen.name
    for path, advice in ((release, f"Run `python -m autograder release {chosen.name}`."), (hidden, "")):
        if not path.exists():
            raise Refusal(f"{path} does not exist. {advice}".rstrip())
    return chosen.name, release, hidden


def result_folders(submissions: list[Path], output: Path) -> dict[Path, Path]:
    """Each submission and the folder of its results: DIR/<stem>, counted on where two share a stem."""
    folders: dict[Path, Path] = {}
    seen: dict[str, int] = defaultdict(int)
    for submission in submissions:
        if not submission.exists():
            print(f"grade: {submission} does not exist.", file=sys.stderr)
            raise SystemExit(2)
        stem = submission.stem if submission.is_file() else submission.name
        seen[stem] += 1
        folders[submission] = output / (stem if seen[stem] == 1 else f"{stem}-{seen[stem]}")
    return folders
