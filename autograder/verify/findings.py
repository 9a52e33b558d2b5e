"""What a matrix of verdicts proves, and a sentence for each thing that it does not."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from autograder.verify.matrix import Row, Verdict

ENOUGH_WRONG, ENOUGH_RIGHT = 3, 2


@dataclass(frozen=True)
class Finding:
    """A sentence about a question. A failure ends the command with 1; a warning does not."""

    question: str
    sentence: str
    failure: bool = True


def findings(question: str, rows: Sequence[Row]) -> list[Finding]:
    """Everything that is wrong with the graders of a question, given its rows at all seeds."""
    failures = [*_reference(rows), *_stub(rows), *_right(rows), *_wrong(rows), *_tests(rows), *_course(rows)]
    warnings = [*_weak_tests(rows), *_draws(rows), *_unusable(rows)]
    return [
        *(Finding(question, sentence) for sentence in dict.fromkeys(failures)),
        *(Finding(question, sentence, failure=False) for sentence in dict.fromkeys(warnings)),
    ]


def _of(rows: Iterable[Row], verdict: str) -> list[Row]:
    return [row for row in rows if row.verdict == verdict]


def _reference(rows: Sequence[Row]) -> Iterator[str]:
    for row, each in _not_passed(_of(rows, "reference")):
        yield f"the reference answer does not pass {each.test}{_at(row, rows)}: {_first_line(each)}"


def _stub(rows: Sequence[Row]) -> Iterator[str]:
    for row in _of(rows, "stub"):
        for each in row.verdicts:
            if each.kind != "stub":
                yield f'the untouched release gets "{_first_line(each)}" from {each.test}, not "not implemented yet".'


def _right(rows: Sequence[Row]) -> Iterator[str]:
    for row, each in _not_passed(_of(rows, "right")):
        yield f"the right answer {row.paper} does not pass {each.test}{_at(row, rows)}: {_first_line(each)}"
    found = len({row.paper for row in _of(rows, "right")})
    if found < ENOUGH_RIGHT and any(row.verdicts for row in _of(rows, "reference")):
        yield f"{found} right variants; a question needs {ENOUGH_RIGHT} or more other ways to be right."


def _wrong(rows: Sequence[Row]) -> Iterator[str]:
    for row in _of(rows, "wrong"):
        if not row.lost:
            yield f"the mistake {row.paper} in {row.target} gets full marks{_at(row, rows)}."
        for each in row.verdicts:
            if each.kind == "broken":
                yield f"the mistake {row.paper} does not run, so it proves nothing: {_first_line(each)}"
                break


def _tests(rows: Sequence[Row]) -> Iterator[str]:
    for test, count in _catches(rows).items():
        if not count:
            yield f"no wrong variant fails {test}, so nothing shows that it tests anything."


def _course(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        for each in row.verdicts:
            if each.kind == "course":
                yield f"{each.test} could not grade {row.paper}{_at(row, rows)}: {_first_line(each)}"


def _weak_tests(rows: Sequence[Row]) -> Iterator[str]:
    for test, count in _catches(rows).items():
        if 0 < count < ENOUGH_WRONG:
            yield f"only {count} wrong {'variant fails' if count == 1 else 'variants fail'} {test}."


def _draws(rows: Sequence[Row]) -> Iterator[str]:
    """Tests whose verdict on a wrong variant depends on the seed: a regrade in another term would differ."""
    for paper in dict.fromkeys(row.paper for row in _of(rows, "wrong")):
        mine = [row for row in rows if row.paper == paper and row.verdict == "wrong"]
        for test, count in Counter(test for row in mine for test in row.lost).items():
            if count < len(mine):
                yield f"{test} fails the mistake {paper} at {count} of {len(mine)} seeds."


def _unusable(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        for each in row.verdicts:
            if each.kind == "unusable":
                yield f"{each.test} stopped at what {row.paper} returned; let it check type and shape first."


def _catches(rows: Sequence[Row]) -> dict[str, int]:
    """How many wrong variants fail each test."""
    tests = dict.fromkeys((each.test for row in rows for each in row.verdicts), 0)
    for test, _ in {(test, row.paper) for row in _of(rows, "wrong") for test in row.lost}:
        tests[test] += 1
    return tests


def _not_passed(rows: Iterable[Row]) -> Iterator[tuple[Row, Verdict]]:
    return ((row, each) for row in rows for each in row.verdicts if each.kind != "passed")


def _at(row: Row, rows: Sequence[Row]) -> str:
    return f" at seed {row.seed}" if len({each.seed for each in rows}) > 1 else ""


def _first_line(verdict: Verdict) -> str:
    return " ".join(verdict.sentence.split("\n")[:3])
