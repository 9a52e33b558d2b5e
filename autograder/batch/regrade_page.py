"""The changes of a regrade in three forms: lines on the terminal, changes.csv, changes.html."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from autograder.batch.grades import plain
from autograder.batch.regrade import Change, Step
from autograder.grading.messages import printable
from autograder.pages import render_page, write_page

MOST = 20  # lines on the terminal; the page and the file have all
COLUMNS = ("submission", "students", "before", "after", "change", "test", "points", "was", "is")


@dataclass(frozen=True)
class Through:
    """One test over the class: how many gain by it, how many lose, and the points in all."""

    test: str
    label: str
    gain: int
    lose: int
    points: float


def through(changes: Sequence[Change]) -> list[Through]:
    """The tests that move points, the one that moves most first."""
    steps: dict[str, list[Step]] = {}
    for change in changes:
        for step in change.steps:
            steps.setdefault(step.test, []).append(step)
    found = [
        Through(
            test,
            each[0].label,
            sum(step.points > 0 for step in each),
            sum(step.points < 0 for step in each),
            round(sum(step.points for step in each), 6),
        )
        for test, each in steps.items()
        if any(step.points for step in each)
    ]
    return sorted(found, key=lambda each: (-(each.gain + each.lose), each.test))


def summary(changes: Sequence[Change], total: int) -> str:
    """One sentence."""
    gain = sum((change.points or 0) > 0 for change in changes)
    lose = sum((change.points or 0) < 0 for change in changes)
    missing = sum(change.points is None for change in changes)
    said = (
        f"Of {total} submissions {gain} gain points and {lose} lose some; {total - gain - lose - missing} keep theirs."
    )
    return f"{said} {missing} have a result in one of the two runs only." if missing else said


def tell(changes: Sequence[Change], total: int, console: Console) -> None:
    """On the terminal: the sentence, the tests, the largest changes."""
    console.print(Text(summary(changes, total)))
    for each in through(changes):
        console.print(Text(printable(f"  {each.label}: {each.gain} gain, {each.lose} lose, {each.points:+g} in all")))
    moved = [change for change in changes if change.points != 0]
    for change in moved[:MOST]:
        console.print(Text(printable(f"  {line(change)}")))
    if len(moved) > MOST:
        console.print(Text(f"  and {len(moved) - MOST} more"))


def line(change: Change) -> str:
    """ "submission_7 (Ada): 40 -> 42 (+2): +2 1b.2 The whole covariance counts"."""
    who = f"{change.name} ({', '.join(change.students)})" if change.students else change.name
    if change.points is None:
        return f"{who}: no result {'before' if change.before is None else 'now'}"
    steps = "; ".join(f"{step.points:+g} {step.label}" for step in change.steps if step.points)
    return f"{who}: {change.before:g} -> {change.after:g} ({change.points:+g}): {steps}"


def changes_csv(changes: Sequence[Change]) -> str:
    """A row per submission and test."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for change in changes:
        numbers = ["" if number is None else f"{number:g}" for number in (change.before, change.after, change.points)]
        head = [plain(change.name), plain(", ".join(change.students)), *numbers]
        for step in change.steps:
            was, now = (each.outcome if each else "" for each in (step.before, step.after))
            writer.writerow([*head, plain(step.label), f"{step.points:g}", was, now])
        if not change.steps:
            writer.writerow([*head, "", "", "", ""])
    return text.getvalue()


def write_changes(set_name: str, changes: Sequence[Change], total: int, folder: Path) -> None:
    """changes.csv and changes.html."""
    (folder / "changes.csv").write_text(changes_csv(changes), encoding="utf-8")
    values = {
        "set_name": set_name,
        "summary": summary(changes, total),
        "tests": through(changes),
        "changes": changes,
    }
    write_page(folder / "changes.html", render_page("autograder.batch", "changes.html", values))
