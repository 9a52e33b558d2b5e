"""The command line: `python -m autograder VERB ...`.

A verb is a module `autograder/<room>/command.py` with `add_arguments(parser)` and `run(arguments) -> int`, the exit
code. It is imported only when its verb is called, so `--help` stays fast. A verb whose module this copy of the package
does not hold is not listed: a Gradescope zip holds grading and nothing else.

Exit codes: 0 all is well, 1 a refusal or a finding, 2 a wrong command line.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from autograder.course.errors import Refusal

VERBS = {
    "release": ("release", "build the student notebooks from their sources"),
    "verify": ("verify", "prove that the graders are right"),
    "grade": ("grading", "grade submissions of one set"),
    "package": ("package", "make the Gradescope zip of a set"),
    "new": ("new", "start a question: source, hidden tests, variants"),
    "publish": ("publish", "copy what students may see to the public mirror"),
    "site": ("site", "the releases as web pages"),
    "report": ("report", "tell how a class did, question by question"),
    "similarity": ("similarity", "pairs of submissions that share code, side by side"),
    "written": ("written", "a class's written answers as PDFs, or for nbgrader's formgrader"),
    "gradebook": ("gradebook", "a class's grades with late hours"),
    "export": ("export", "write a set for nbgrader or Otter"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code; a refusal is printed, without a stack trace."""
    words = list(sys.argv[1:] if argv is None else argv)
    verbs = existing_verbs()
    if not words or words[0] not in verbs:
        overview(verbs).parse_args(words or ["--help"])  # leaves with the help, or with what is wrong
    command = import_module(f"autograder.{VERBS[words[0]][0]}.command")
    parser = argparse.ArgumentParser(prog=f"python -m autograder {words[0]}", description=command.__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    command.add_arguments(parser)
    try:
        return int(command.run(parser.parse_args(words[1:])))
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1


def existing_verbs() -> dict[str, str]:
    """The verbs that this copy of the package can run, each with one line of help."""
    rooms = Path(__file__).parent
    return {verb: text for verb, (room, text) in VERBS.items() if (rooms / room / "command.py").is_file()}


def overview(verbs: dict[str, str]) -> argparse.ArgumentParser:
    """The parser of the bare command: it knows the verbs' names and one line about each."""
    parser = argparse.ArgumentParser(prog="python -m autograder", description="Release, check and grade problem sets.")
    listed = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb, text in verbs.items():
        listed.add_parser(verb, help=text)
    return parser
