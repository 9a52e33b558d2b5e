"""Start a question: write its source, its hidden tests and its variants, and list it in course.toml.

The skeletons lint, and `release --draft` builds them; `verify` refuses them and says what to write next. A question
qN_topic joins the set's core, xN_topic the extensions that a term may switch on. See docs/add-a-question.md.
"""

import argparse
import re
from collections.abc import Mapping
from keyword import iskeyword
from pathlib import Path

from autograder.course import Course, ProblemSet, Refusal, load_course
from autograder.new.skeletons import skeletons
from autograder.new.term import with_question

_NAME = re.compile(r"([qx]\d+)_[a-z][a-z0-9_]*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments."""
    parser.add_argument("set", metavar="PS", help="ps1 or ps1_probabilistic")
    parser.add_argument("question", metavar="QUESTION", help="qN_topic, or xN_topic for an extension")
    parser.add_argument("--root", type=Path, help="the folder of course.toml (default: this repository)")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and say what to do next; nothing is ever overwritten."""
    course = load_course(arguments.root)
    plan = course.problem_set(arguments.set)
    _refuse_taken(course, plan, arguments.question)
    files = skeletons(plan.name, arguments.question)
    _write(course.root, files)
    for path in files:
        print(f"written   {path}")
    _list_in_course(course, plan, arguments.question)
    print(f"Next: write the question, then `python -m autograder release {plan.short} --draft build/draft`.")
    return 0


def _refuse_taken(course: Course, plan: ProblemSet, question: str) -> None:
    name = _NAME.fullmatch(question)
    if not name:
        raise Refusal(f"{question!r} is no question's name. Write qN_topic or xN_topic, such as 'q9_flows'.")
    if iskeyword(question.partition("_")[2]):
        raise Refusal(f"{question!r} would ask for a function called like a word of Python. Choose another topic.")
    taken = [each for each in plan.core + plan.available if each.split("_")[0] == name[1]]
    if taken:
        raise Refusal(f"{plan.name} already has {taken[0]}. Take the next number, or edit that question's files.")
    for path in skeletons(plan.name, question):
        if (course.root / path).exists():
            raise Refusal(f"{path} exists already and is not overwritten. Remove it, or choose another name.")


def _write(root: Path, files: Mapping[Path, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def _list_in_course(course: Course, plan: ProblemSet, question: str) -> None:
    """Add the question's line, or say where it goes when the file's layout is an unusual one."""
    key = "core" if question.startswith("q") else "available"
    file = course.root / "course.toml"
    changed = with_question(file.read_text(encoding="utf-8"), plan.name, key, question)
    if changed is None:
        print(f'Add "{question}" to {key} of [sets.{plan.name}] in course.toml by hand: its layout is an unusual one.')
        return
    file.write_text(changed, encoding="utf-8")
    print(f"listed    {key} of [sets.{plan.name}] in course.toml")
