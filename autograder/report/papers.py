"""Results.json files as plain rows, whoever wrote them: grading here, Gradescope, or a harness that gave up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.batch.ledger import extra_of
from autograder.grading.messages import printable


@dataclass(frozen=True)
class Row:
    """One hidden test of one submission. `test` is "question/name", `said` the first line of its output."""

    test: str
    number: str
    claim: str
    question: str
    points: float
    most: float
    outcome: str
    said: str
    hint: str
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether it holds; where the course's fault gave the points, nobody knows."""
        return self.outcome == "Passed"


@dataclass(frozen=True)
class Paper:
    """One submission of the set; one that has no result has no rows. `staff` is why a person should look."""

    name: str
    score: float = 0.0
    rows: tuple[Row, ...] = ()
    seconds: float = 0.0
    memory: Mapping[str, int] = field(default_factory=dict)
    staff: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    set: str = ""

    @property
    def most(self) -> float:
        """The points of all its tests."""
        return sum(row.most for row in self.rows)


def paper_of(name: str, results: Mapping[str, Any]) -> Paper:
    """A results.json; what it lacks is empty."""
    extra = extra_of(results)
    about = extra.get("tests", {})
    rows = tuple(
        _row(test, about.get(str(test.get("number", "")), {})) for test in results.get("tests", ()) if "score" in test
    )
    return Paper(
        name=name,
        score=float(results.get("score") or 0.0),
        rows=rows,
        seconds=float(results.get("execution_time") or 0.0),
        memory=extra.get("memory_mb", {}),
        staff=tuple(map(str, extra.get("staff", ()))),
        titles=extra.get("titles", {}),
        set=str(extra.get("set", "")),
    )


def _row(test: Mapping[str, Any], about: Mapping[str, Any]) -> Row:
    number, tags = str(test.get("number", "")), [*test.get("tags", ()), "", "", ""]
    name = str(about.get("test") or f"{tags[0]}/{number}")
    return Row(
        test=name,
        number=number,
        claim=str(test.get("name", "")),
        question=name.partition("/")[0],
        points=float(test["score"]),
        most=float(test.get("max_score") or 0.0),
        outcome=str(about.get("outcome") or ("Passed" if test.get("status") == "passed" else "failed")),
        said=printable(str(test.get("output", "")).partition("\n")[0][:200]),
        hint=str(about.get("hint", "")),
        seconds=float(about.get("seconds") or 0.0),
    )
