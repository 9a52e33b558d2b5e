"""The releases as web pages: DIR/index.html and a page per set, with its figures. For students and for colleagues.

The pages hold what the releases hold, and the leak check is run on them all the same. They need no script, and nothing
of the network but Colab's badge.
"""

import argparse
from pathlib import Path

from autograder.course import load_course


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words after `site`."""
    parser.add_argument("sets", metavar="PS", nargs="*", help="ps1 or ps1_probabilistic; all sets where none is named")
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, default=Path("build/site"), help="default: build/site"
    )
    parser.add_argument("--root", type=Path, help="the folder of course.toml (default: this repository)")


def run(arguments: argparse.Namespace) -> int:
    """Write the pages; 0."""
    from autograder.site.pages import site_files

    course = load_course(arguments.root)
    plans = [course.problem_set(name) for name in arguments.sets] or list(course.sets.values())
    files = site_files(course, plans)
    for name, data in files.items():
        place = arguments.output / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    print(f"{len(plans)} sets: {arguments.output / 'index.html'}")
    return 0
