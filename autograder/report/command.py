"""One page that tells how a class did: scores, questions, tests, frequent mistakes, time and memory.

It reads the folder of a `grade` run, or a Gradescope export, whose metadata holds the results.
"""

import argparse
import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SIMILARITY = "similarity.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words after `report`."""
    parser.add_argument("results", metavar="RESULTS", type=Path, help="what `grade` wrote, or a Gradescope export")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="default: report.html beside the results")
    parser.add_argument("--title", metavar="TEXT", help="default: the set's name")


def run(arguments: argparse.Namespace) -> int:
    """Write the page; 0."""
    from autograder.batch.entries import natural
    from autograder.batch.ledger import extra_of
    from autograder.batch.regrade import old_results
    from autograder.pages import write_page
    from autograder.report.class_page import class_page
    from autograder.report.papers import paper_of

    found = _listed(old_results(arguments.results), arguments.results)
    papers = [paper_of(name, found[name]) for name in sorted(found, key=natural)]
    title = arguments.title or next((str(extra_of(each).get("set", "")) for each in found.values()), "")
    file = arguments.output or arguments.results / "report.html"
    write_page(file, class_page(title or arguments.results.name, papers, _similar(arguments.results)))
    print(f"{len(papers)} submissions: {file}")
    return 0


def _listed(found: Mapping[str, Mapping[str, Any]], folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """Those that the run's grades.csv lists: a folder may hold results of submissions that are no longer there."""
    from autograder.batch.grades import plain

    try:
        with (folder / "grades.csv").open(encoding="utf-8", newline="") as file:
            names = {row["submission"] for row in csv.DictReader(file)}
    except (OSError, KeyError):
        return found
    return {name: results for name, results in found.items() if plain(name) in names}


def _similar(folder: Path) -> list[Mapping[str, Any]]:
    """The pairs that `similarity` found in this run, where it was asked."""
    try:
        pairs = json.loads((folder / SIMILARITY).read_text(encoding="utf-8"))["pairs"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [pair for pair in pairs if pair.get("stands_out")][:20]
