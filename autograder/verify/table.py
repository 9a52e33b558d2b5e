"""The matrix on a terminal: a table per question, readable in 120 columns."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.verify.matrix import Row, Verdict

SIGNS = {"passed": "·", "lost": "×", "stub": "○", "broken": "!", "course": "?", "unusable": "×"}
STYLES = {"reference": "bold", "stub": "dim", "right": "green", "wrong": "red"}
LEGEND = "· passed   × lost   ○ not implemented yet   ! does not run   ? could not be graded"


def print_matrix(console: Console, question: str, rows: Sequence[Row]) -> None:
    """Rows are papers, columns are hidden tests, in the order of the parts."""
    if not rows:
        return
    tests = rows[0].verdicts
    table = Table(title=Text(question, style="bold"), title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    table.add_column("stands in for", no_wrap=True, style="dim")
    for each in tests:
        table.add_column(_head(each), justify="center", min_width=2)
    for row in rows:
        signs = [Text(SIGNS[each.kind], style=_colour(row, each)) for each in row.verdicts]
        table.add_row(Text(row.paper, style=STYLES[row.verdict]), row.target, *signs)
    console.print(table)
    for each in tests:
        console.print(Text(f"  {_head(each)}  {each.test} ({each.points:g})", style="dim"))
    console.print()


def _head(verdict: Verdict) -> str:
    """`b2` of "1b.2": the question's number stands above the table."""
    return verdict.number.lstrip("x0123456789").replace(".", "")


def _colour(row: Row, verdict: Verdict) -> str:
    if verdict.kind in ("broken", "course"):
        return "bold yellow"
    good = verdict.kind == "passed" if row.verdict in ("reference", "right") else verdict.kind != "passed"
    return "green" if good else "dim" if row.verdict == "wrong" else "bold red"
