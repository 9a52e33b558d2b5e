"""One page that tells how a class did: scores, questions, tests, frequent mistakes, time and memory.

It reads the folder of a `grade` run, or a Gradescope export (folder or zip), whose metadata holds the results.
"""

import argparse
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
    from autograder.pages import write_page
    from autograder.report.class_page import class_page
    from autograder.report.sources import read_class

    path: Path = arguments.results
    papers = read_class(path)
    title = arguments.title or next((paper.set for paper in papers if paper.set), path.name)
    file = arguments.output or (path.parent if path.is_file() else path) / "report.html"
    write_page(file, class_page(title, papers, _similar(path)))
    print(f"{len(papers)} submissions: {file}")
    return 0


def _similar(folder: Path) -> list[Mapping[str, Any]]:
    """The pairs that `similarity` found in this run, where it was asked."""
    try:
        pairs = json.loads((folder / SIMILARITY).read_text(encoding="utf-8"))["pairs"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [pair for pair in pairs if pair.get("stands_out")][:20]
