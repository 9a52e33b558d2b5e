"""What a class's rows say: pure functions, no file and no clock.

Difficulty is the share that passes. Discrimination is the correlation of a test's points with the rest of the score:
near 0 a test tells nothing about a student, below 0 those who know more fail it, which mostly means that the test is
wrong.
"""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.report.papers import Paper, Row

BINS = 20
FEW = 5  # submissions; fewer say nothing about a test


@dataclass(frozen=True)
class Bin:
    """Scores from `low` percent on, up to the next bin's."""

    low: int
    high: int
    count: int


@dataclass(frozen=True)
class TestStatistics:
    """One hidden test over the class; `discrimination` is None where it or the rest does not vary."""

    __test__ = False  # not a test of pytest's

    test: str
    number: str
    claim: str
    question: str
    most: float
    count: int
    passed: int
    discrimination: float | None
    outcomes: tuple[tuple[str, int], ...]
    seconds: float

    @property
    def rate(self) -> float:
        """The share that passes."""
        return self.passed / self.count

    @property
    def remark(self) -> str:
        """What staff should think about, or ""."""
        if self.count < FEW:
            return ""
        if self.passed in (0, self.count):
            return "everybody passes" if self.passed else "nobody passes"
        if self.discrimination is not None and self.discrimination < 0:
            return "better students fail it"
        return ""


@dataclass(frozen=True)
class QuestionStatistics:
    """One question over the class: points on average, and how many have all or none of them."""

    name: str
    title: str
    most: float
    mean: float
    full: int
    none: int


@dataclass(frozen=True)
class Said:
    """What many were told: the test, the first line of its message or its hint, and how many."""

    number: str
    claim: str
    text: str
    count: int


def histogram(papers: Sequence[Paper]) -> list[Bin]:
    """Scores in percent of each submission's points, in equal bins; full marks stand in the last one."""
    width = 100 // BINS
    shares = [paper.score / paper.most if paper.most else 0.0 for paper in papers]
    places = Counter(min(BINS - 1, int(share * BINS + 1e-9)) for share in shares)
    return [Bin(width * i, width * (i + 1), places[i]) for i in range(BINS)]


def by_test(papers: Sequence[Paper]) -> list[TestStatistics]:
    """Every test that some submission met, in the order of the first that did."""
    found: dict[str, list[tuple[Row, Paper]]] = {}
    for paper in papers:
        for row in paper.rows:
            found.setdefault(row.test, []).append((row, paper))
    return [_test(test, met) for test, met in found.items()]


def _test(test: str, met: Sequence[tuple[Row, Paper]]) -> TestStatistics:
    first, outcomes = met[0][0], Counter(row.outcome for row, _ in met)
    return TestStatistics(
        test=test,
        number=first.number,
        claim=first.claim,
        question=first.question,
        most=first.most,
        count=len(met),
        passed=sum(row.passed for row, _ in met),
        discrimination=correlation([row.points for row, _ in met], [paper.score - row.points for row, paper in met]),
        outcomes=tuple(outcomes.most_common()),
        seconds=statistics.median(row.seconds for row, _ in met),
    )


def correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Pearson's, or None where either does not vary."""
    try:
        return statistics.correlation(one, other)
    except statistics.StatisticsError:
        return None


def by_question(papers: Sequence[Paper]) -> list[QuestionStatistics]:
    """Every question, in the order of the first submission."""
    points: dict[str, list[tuple[float, float]]] = {}
    for paper in papers:
        for question in dict.fromkeys(row.question for row in paper.rows):
            rows = [row for row in paper.rows if row.question == question]
            points.setdefault(question, []).append((sum(row.points for row in rows), sum(row.most for row in rows)))
    titles = {name: title for paper in papers for name, title in paper.titles.items()}
    return [
        QuestionStatistics(
            name,
            titles.get(name, ""),
            max(most for _, most in each),
            statistics.fmean(got for got, _ in each),
            sum(got >= most for got, most in each),
            sum(got == 0 for got, _ in each),
        )
        for name, each in points.items()
    ]


def often_said(papers: Sequence[Paper], most: int = 15) -> list[Said]:
    """The messages that most submissions got where a test did not pass."""
    return _counted(papers, "said", most)


def often_hinted(papers: Sequence[Paper], most: int = 15) -> list[Said]:
    """The hints that most submissions got."""
    return _counted(papers, "hint", most)


def _counted(papers: Sequence[Paper], field: str, most: int) -> list[Said]:
    rows = [row for paper in papers for row in paper.rows if not row.passed and getattr(row, field)]
    known = {row.test: row for row in reversed(rows)}
    counts = Counter((row.test, getattr(row, field)) for row in rows)
    return [
        Said(known[test].number, known[test].claim, text, count) for (test, text), count in counts.most_common(most)
    ]


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
