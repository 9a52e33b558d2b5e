"""A report on the terminal: points by question, and what each lost point says."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.grading.messages import printable, render
from autograder.grading.outcomes import Passed
from autograder.grading.report import Report
from autograder.grading.results import headline


def print_table(report: Report, name: str, path: Path) -> None:
    """One row per question; `name` is the submission's and `path` that of its results.json."""
    console = Console()
    table = Table(title=_text(f"{name}: {report.score:g} of {report.max_score:g}"), title_justify="left")
    table.add_column("question")
    table.add_column("points", justify="right")
    table.add_column("passed", justify="right")
    table.add_column("first thing to look at")
    for question, title in report.titles.items():
        tests = [test for test in report.tests if test.question == question]
        if tests:
            passed = sum(isinstance(test.outcome, Passed) for test in tests)
            points = f"{sum(test.score for test in tests):g}/{sum(test.points for test in tests):g}"
            first = next((test for test in tests if not isinstance(test.outcome, Passed)), None)
            advice = "" if first is None else f"{first.number} {render(first.outcome).partition(chr(10))[0]}"
            table.add_row(_text(f"{question} {title}"), points, f"{passed}/{len(tests)}", _text(advice))
    console.print(table)
    console.print(_text(headline(report)))
    console.print(_text(f"{path}, {report.seconds:.1f} s"))


def _text(text: str) -> Text:
    """Without markup and control characters: names of files and tensors are the student's."""
    return Text(printable(text))
