"""Pairs of submissions that share more than the release and the class give them, side by side on a page.

It parses submissions and runs none. It writes similarity.html and similarity.json, and touches no result and no grade.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from tokenize import TokenError

from autograder.course import Refusal, load_course


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words after `similarity`."""
    parser.add_argument("set", metavar="PS", help="the set, ps1 or ps1_probabilistic")
    parser.add_argument("submissions", metavar="EXPORT", type=Path, help="a class's download, as `grade` takes it")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, default=Path("graded"), help="default: graded/")
    parser.add_argument("--release", metavar="PATH", type=Path, help="the release that they started from")


def run(arguments: argparse.Namespace) -> int:
    """Compare; 0."""
    from autograder.batch.download import read_download
    from autograder.grading.messages import printable
    from autograder.pages import write_page
    from autograder.similarity.code import code_of, released_grams
    from autograder.similarity.pairs import pairs
    from autograder.similarity.side_page import side_page
    from pskit.notebook import BadRelease, Unreadable, read_release, read_submission

    path = arguments.release or load_course().release(arguments.set)
    try:
        release, given = read_release(path), read_submission(path).cells
    except (BadRelease, Unreadable) as error:
        raise Refusal(f"similarity: {error}") from None
    codes = {}
    for entry in read_download(arguments.submissions, arguments.output / "submissions").entries:
        if not entry.problem:
            try:
                codes[entry.name] = code_of(entry.name, release, read_submission(entry.path, release.names))
            except Unreadable as reason:
                print(printable(f"{entry.name} is not compared: {reason}"))
            except (SyntaxError, ValueError, RecursionError, MemoryError, TokenError) as error:
                print(printable(f"{entry.name} is not compared: its code cannot be taken apart ({error})."))
    found = pairs(list(codes.values()), released_grams(given))
    arguments.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"set": release.set, "pairs": [asdict(pair) for pair in found]}, indent=1)
    (arguments.output / "similarity.json").write_text(text + "\n", encoding="ascii")
    write_page(arguments.output / "similarity.html", side_page(release.set, len(codes), found, codes))
    out = sum(pair.stands_out for pair in found)
    print(f"{len(codes)} submissions compared, {out} pairs stand out: {arguments.output / 'similarity.html'}")
    return 0
