"""The matrix on a terminal: a table per question, readable in 120 columns."""

import shutil
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.verify.matrix import Row, Verdict

SIGNS = {"passed": "·", "lost": "×", "stub": "○", "broken": "!", "course": "?", "unusable": "×"}
STYLES = {"reference": "bold", "stub": "dim", "right": "green", "wrong": "red"}
LEGEND = "· passed   × lost   ○ not implemented yet   ! does not run   ? could not be graded"
WIDTH = 120


def wide_console() -> Console:
    """The terminal, or 120 columns where the output goes into a file."""
    return Console(width=shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH, soft_wrap=False)


def print_matrix(console: Console, question: str, rows: Sequence[Row]) -> None:
    """Rows are papers under the name that they stand in for; columns are hidden tests, in the order of the parts."""
    if not rows:
        return
    tests = rows[0].verdicts
    table = Table(title=Text(question, style="bold"), title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True, overflow="ellipsis")
    for each in tests:
        table.add_column(head(each), justify="center", min_width=2, no_wrap=True)
    target = ""
    for row in rows:
        if row.target != target:
            target = row.target
            table.add_row(Text(target, style="dim italic"))
        indent = "  " if row.target else ""
        signs = [Text(SIGNS[each.kind], style=_colour(row, each)) for each in row.verdicts]
        table.add_row(Text(indent + row.paper, style=STYLES[row.verdict]), *signs)
    console.print(table)
    for each in tests:
        console.print(Text(f"  {head(each):3} {each.test} ({each.points:g})", style="dim"))
    console.print()


def head(verdict: Verdict) -> str:
    """`b2` of "1b.2": the question's number stands above the table."""
    return verdict.number.lstrip("x0123456789").replace(".", "")


def as_expected(row: Row, verdict: Verdict) -> bool:
    """Whether the proof needs this verdict: right answers pass, stubs are stubs, mistakes may do both."""
    if row.verdict == "stub":
        return verdict.kind == "stub"
    if row.verdict == "wrong":
        return verdict.kind in ("passed", "lost", "unusable")
    return verdict.kind == "passed"


def _colour(row: Row, verdict: Verdict) -> str:
    if not as_expected(row, verdict):
        return "bold red"
    return "dim" if row.verdict == "wrong" and verdict.kind == "passed" else "green"
