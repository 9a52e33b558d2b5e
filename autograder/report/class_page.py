"""The class report as a page."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from autograder.batch.entries import natural
from autograder.pages import render_page
from autograder.report.papers import Paper
from autograder.report.statistics import (
    Bin,
    by_question,
    by_test,
    histogram,
    often_hinted,
    often_said,
    quantile,
)

WIDTH, HEIGHT, FLOOR, LEFT = 720, 240, 200, 36  # of the histogram, in its own units
INK = "#33658a"


def class_page(set_name: str, papers: Sequence[Paper], similar: Sequence[Mapping[str, Any]] = ()) -> str:
    """The page of these submissions; `similar` are the pairs of similarity.json."""
    graded = [paper for paper in papers if paper.rows]
    bins, tests = histogram(graded), by_test(graded)
    values = {
        "set_name": set_name,
        "count": len(papers),
        "graded": graded,
        "unread": [paper for paper in papers if not paper.rows],
        "people": sorted((paper for paper in papers if paper.staff), key=lambda paper: natural(paper.name)),
        "figures": figures(graded),
        "picture": picture(bins),
        "bins": [each for each in bins if each.count],
        "questions": by_question(graded),
        "tests": tests,
        "remarks": [test for test in tests if test.remark],
        "said": often_said(graded),
        "hints": often_hinted(graded),
        "slow": sorted(graded, key=lambda paper: -paper.seconds)[:5],
        "memory": largest_memory(graded),
        "similar": similar,
        "bar": bar,
    }
    return render_page("autograder.report", "class.html", values)


def figures(graded: Sequence[Paper]) -> list[tuple[str, str]]:
    """The numbers at the top, each with its name."""
    if not graded:
        return []
    scores, most = [paper.score for paper in graded], max(paper.most for paper in graded)
    seconds = [paper.seconds for paper in graded]
    return [
        ("mean score", f"{statistics.fmean(scores):.1f} of {most:g}"),
        ("median", f"{statistics.median(scores):g}"),
        ("standard deviation", f"{statistics.pstdev(scores):.1f}"),
        ("full marks", f"{sum(paper.score >= paper.most for paper in graded)}"),
        ("seconds per submission, median", f"{statistics.median(seconds):.1f}"),
        ("95 % are done in", f"{quantile(seconds, 0.95):.1f} s"),
    ]


def largest_memory(graded: Sequence[Paper]) -> list[tuple[str, int, float]]:
    """By question: MB of the submission that took most, and the median."""
    found: dict[str, list[int]] = {}
    for paper in graded:
        for question, megabytes in paper.memory.items():
            found.setdefault(question, []).append(int(megabytes))
    return [(question, max(each), statistics.median(each)) for question, each in found.items()]


def picture(bins: Sequence[Bin]) -> Markup:
    """The histogram as SVG; its numbers stand in a table beside it."""
    tallest, step = max((each.count for each in bins), default=0) or 1, (WIDTH - LEFT) / len(bins)
    drawn = [_line(), _label((WIDTH + LEFT) / 2, FLOOR + 34, "score in percent"), _label(WIDTH - 10, FLOOR + 16, "100")]
    for i, each in enumerate(bins):
        x, height = LEFT + i * step, (FLOOR - 20) * each.count / tallest
        drawn.append(_box(x + 1, FLOOR - height, step - 2, height, INK))
        if each.count:
            drawn.append(_label(x + step / 2, FLOOR - height - 4, str(each.count)))
        if each.low % 10 == 0:
            drawn.append(_label(x, FLOOR + 16, str(each.low)))
    name = "Histogram of scores; the table below it has the same numbers"
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return Markup(f'<svg role="img" aria-label="{name}" font-size="12" {size}>{"".join(drawn)}</svg>')


def _box(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'


def _label(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{text}</text>'


def _line() -> str:
    return f'<line x1="{LEFT}" x2="{WIDTH}" y1="{FLOOR}" y2="{FLOOR}" stroke="#1b1f23"/>'


def bar(share: float) -> Markup:
    """A share as a bar, with its percentage in words for those who do not see it."""
    name, boxes = f"{100 * share:.0f} %", _box(0, 0, 80, 10, "#e4e8ec") + _box(0, 0, 80 * share, 10, INK)
    return Markup(f'<svg role="img" aria-label="{name}" width="80" height="10" viewBox="0 0 80 10">{boxes}</svg>')
