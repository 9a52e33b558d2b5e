"""The Gradescope zip of a set, byte-identical on every build.

Upload it to a programming assignment: Configure Autograder > Zip file upload. Building the image installs the locked
packages and grades bundled smoke submissions.
"""

import argparse
import hashlib
from pathlib import Path

from autograder.course import load_course
from autograder.package.archive import write_archive
from autograder.package.contents import package_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments."""
    parser.add_argument("sets", nargs="*", metavar="PS", help="ps1 or ps1_probabilistic; all sets where none is named")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="where the zips go (default: dist/)")


def run(arguments: argparse.Namespace) -> int:
    """Write one zip per set and print where it lies, its size and its hash."""
    course = load_course()
    folder = arguments.output or course.root / "dist"
    chosen = [course.problem_set(name) for name in arguments.sets] or list(course.sets.values())
    for problem_set in chosen:
        path = folder / f"{problem_set.short}_gradescope.zip"
        write_archive(path, package_files(course.root, problem_set))
        content = path.read_bytes()
        print(f"{path}  {len(content) / 1e6:.1f} MB  sha256 {hashlib.sha256(content).hexdigest()[:16]}")
    return 0
