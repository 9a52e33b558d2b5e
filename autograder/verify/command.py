"""Prove that a set's graders are right: every right answer gets full marks, every mistake loses points.

The reference, each variant of solutions/PS/variants/ and the untouched release are graded as students' submissions.
Exit code 1: a grader is wrong, or a proof is missing; each finding is a sentence.
"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.course import Course, ProblemSet, load_course

if TYPE_CHECKING:
    from rich.console import Console

    from autograder.verify.proof import Proof


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `verify`."""
    parser.add_argument("sets", nargs="*", metavar="PS", help="ps1 or ps1_probabilistic; all sets of the term if none")
    parser.add_argument("--question", action="append", metavar="NAME", help="this question only; may be repeated")
    parser.add_argument("--seeds", type=_count, default=1, metavar="N", help="grade at N seeds of the hidden draws (1)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the matrix as one HTML page, too")
    parser.add_argument("--mutants", action="store_true", help="mutate the reference answers instead; takes minutes")
    parser.add_argument("--jobs", type=_count, default=min(2, os.cpu_count() or 1), metavar="N", help="processes")
    parser.add_argument("--root", type=Path, help="the folder of course.toml (default: this repository)")


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


def run(arguments: argparse.Namespace) -> int:
    """Verify every wanted set; 0 if all graders are right."""
    from autograder.verify.table import wide_console  # torch loads only here, after --help

    course, console = load_course(arguments.root), wide_console()
    plans = [course.problem_set(name) for name in arguments.sets] or list(course.sets.values())
    return (_mutate if arguments.mutants else _prove)(course, plans, arguments, console)


def _mutate(course: Course, plans: list[ProblemSet], arguments: argparse.Namespace, console: "Console") -> int:
    from autograder.verify.mutation.round import mutate, tell

    results = []
    for plan in plans:
        results.append(mutate(course, plan, arguments.question, arguments.jobs, console))
        tell(results[-1], console)
    _once_more([f"{plan.name}: {result.summary()}" for plan, result in zip(plans, results, strict=True)], console)
    return int(any(result.unexplained or result.stale for result in results))


def _prove(course: Course, plans: list[ProblemSet], arguments: argparse.Namespace, console: "Console") -> int:
    from autograder.verify.proof import prove

    proofs = []
    for plan in plans:
        proofs.append(prove(course, plan, arguments.question, arguments.seeds, arguments.jobs, console))
        _tell(proofs[-1], console)
    _once_more([proof.summary() for proof in proofs], console)
    if arguments.html:
        _write_page(proofs, arguments.html, console)
    return int(any(finding.failure for proof in proofs for finding in proof.findings))


def _tell(proof: "Proof", console: "Console") -> None:
    """The tables, then warnings, then failures, then one line."""
    from rich.text import Text

    from autograder.verify.table import LEGEND, print_matrix

    for question, rows in proof.rows.items():
        print_matrix(console, question, [row for row in rows if row.seed == proof.seeds[0]])
    console.print(Text(LEGEND, style="dim"))
    for finding in sorted(proof.findings, key=lambda finding: finding.failure):
        word, style = ("FAILED", "bold red") if finding.failure else ("warning", "yellow")
        console.print(Text(f"{word}  ", style=style) + Text(f"{finding.question}: {finding.sentence}", style="default"))
    console.print(Text(proof.summary(), style="bold"))


def _once_more(summaries: list[str], console: "Console") -> None:
    """The last lines of a round over several sets, so that nobody has to scroll."""
    if len(summaries) > 1:
        console.print("\n".join(summaries), style="bold", markup=False)


def _write_page(proofs: list["Proof"], file: Path, console: "Console") -> None:
    from autograder.verify.page import page

    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page(proofs), encoding="utf-8")
    console.print(f"{file} written")
