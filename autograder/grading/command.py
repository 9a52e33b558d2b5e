"""Grade submissions of one set and write a results.json for each.

One path that holds a class (a Gradescope export or its zip, a Canvas download, a folder of notebooks) is graded on all
cores, or on a Dask cluster; the same command after an interruption goes on where it stopped. --against compares with an
earlier run before anything is published.

Exit codes: 0 graded, 1 something could not be graded, 2 a wrong command line.
"""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.course import Course, Refusal, load_course
from autograder.grading.distinct import distinct
from autograder.grading.early import early_server

if TYPE_CHECKING:
    from autograder.grading.setting import Setting


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
    parser.add_argument(
        "--as", dest="read_as", choices=("class", "one"), help="what the path is (default: as it looks)"
    )
    parser.add_argument("--jobs", metavar="N", type=int, default=0, help="grading processes for a class (all cores)")
    parser.add_argument("--dask", metavar="ADDRESS", default="", help="a Dask scheduler, tcp://HOST:PORT, for a class")
    parser.add_argument(
        "--against", metavar="OLD", type=Path, help="an earlier run, or a Gradescope export with results"
    )


def run(arguments: argparse.Namespace) -> int:
    """Grade every submission; the exit code."""
    if _is_class(arguments):
        return _grade_class(arguments)
    course = load_course()
    places = _places(course, arguments)
    folders = result_folders(arguments.submissions, arguments.output)
    with early_server(arguments.isolation) as server:
        # torch and pytest load only here, while the server loads its own
        from autograder.grading.batch import grade_each

        return grade_each(_setting(course, arguments, *places), folders, server)


def _is_class(arguments: argparse.Namespace) -> bool:
    """Whether the only path is a class's; a Gradescope zip of ours has no room for classes."""
    for_classes = arguments.against is not None or bool(arguments.dask or arguments.jobs)
    if find_spec("autograder.batch") is None or len(arguments.submissions) > 1 or arguments.read_as == "one":
        if for_classes:
            raise Refusal("grade: --jobs, --dask and --against are for one path that holds a class.")
        return False
    from autograder.batch.download import is_class

    path = arguments.submissions[0]
    return path.exists() and (arguments.read_as == "class" or for_classes or is_class(path))


def _grade_class(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from autograder.batch.regrade import changes, old_results, stays_apart
    from autograder.batch.regrade_page import tell, write_changes
    from autograder.batch.run import Where, exit_code, grade_class, interrupted, usual_jobs

    course = load_course()
    setting = _setting(course, arguments, *_places(course, arguments))
    where = Where(arguments.jobs if arguments.jobs > 0 else usual_jobs(), arguments.dask)
    earlier = None
    if arguments.against is not None:
        stays_apart(arguments.against, arguments.output)
        earlier = old_results(arguments.against)
    try:
        graded = grade_class(arguments.submissions[0], arguments.output, setting, where)
    except KeyboardInterrupt:
        return interrupted(arguments.output)
    if earlier is not None:
        found = changes(earlier, graded)
        tell(found, len({*earlier, *(each.entry.name for each in graded)}), Console())
        write_changes(setting.set_name, found, len(graded), arguments.output)
        print(f"Nothing is published. {arguments.output / 'changes.html'}")
    return exit_code(graded)


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


def _setting(course: Course, arguments: argparse.Namespace, set_name: str, release: Path, hidden: Path) -> "Setting":
    from autograder.grading.setting import Setting

    return Setting(
        set_name,
        release.resolve(),
        hidden.resolve(),
        course.hidden_seed if arguments.seed is None else arguments.seed,
        arguments.isolation,
        arguments.time_limit,
        tuple(arguments.question) if arguments.question else None,
    )


def result_folders(submissions: list[Path], output: Path) -> dict[Path, Path]:
    """Each submission and the folder of its results: DIR/<stem>, counted on where two share a stem."""
    for submission in submissions:
        if not submission.exists():
            print(f"grade: {submission} does not exist.", file=sys.stderr)
            raise SystemExit(2)
    once = list(dict.fromkeys(submissions))
    stems = distinct([each.stem if each.is_file() else each.name for each in once])
    return {submission: output / stem for submission, stem in zip(once, stems, strict=True)}
