"""Who changes, by how much and through which test, before anything is published.

The earlier run is a folder that `grade` wrote, or a Gradescope export, whose metadata holds the results that students
saw. Tests are the same where question and name are, whatever their number became; where one of the two runs knows no
names, for its results have no `extra_data`, they are the same where the number is. Nothing here changes a grade.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.batch.grades import Graded
from autograder.batch.gradescope_export import earlier_results, export_root, results_in_zip
from autograder.batch.ledger import FOLDER, extra_of, read_results
from autograder.course import Refusal


@dataclass(frozen=True)
class Verdict:
    """One test of one run: points, and what became of it in a word."""

    label: str
    points: float
    outcome: str


@dataclass(frozen=True)
class Step:
    """A test that earns other points, or came out otherwise, than before; None where a run does not have it."""

    test: str
    label: str
    before: Verdict | None
    after: Verdict | None

    @property
    def points(self) -> float:
        """How many points more; negative where they are fewer."""
        return round((self.after.points if self.after else 0.0) - (self.before.points if self.before else 0.0), 6)


@dataclass(frozen=True)
class Change:
    """A submission whose score or some test differs. A score is None where there is no result."""

    name: str
    students: tuple[str, ...]
    before: float | None
    after: float | None
    steps: tuple[Step, ...]

    @property
    def points(self) -> float | None:
        """How many points more; None where one of the two runs has no result."""
        return None if self.before is None or self.after is None else round(self.after - self.before, 6)


def old_results(path: Path) -> dict[str, Mapping[str, Any]]:
    """The results of an earlier run by submission name. Raises Refusal."""
    found = results_in_zip(path) if path.is_file() else _results_below(path)
    if not found:
        raise Refusal(
            f"--against {path}: no results of an earlier run. Name a folder that `grade` wrote, or an export, "
            "its folder or its zip; download one anew that is damaged."
        )
    return found


def _results_below(folder: Path) -> dict[str, Mapping[str, Any]]:
    root = export_root(folder) if folder.is_dir() else None
    if root is not None:
        return earlier_results(root)
    results = folder / FOLDER if (folder / FOLDER).is_dir() else folder
    places = results.glob("*/results.json") if results.is_dir() else ()
    return {place.parent.name: found for place in places if (found := read_results(place.parent)) is not None}


def stays_apart(earlier: Path, output: Path) -> None:
    """Refuse to write over the run that is compared with: after an interruption half of it would be the new one."""
    if earlier.resolve() in (output.resolve(), (output / FOLDER).resolve()):
        raise Refusal(f"--against {earlier}: the new results would replace these. Choose another -o.")


def changes(old: Mapping[str, Mapping[str, Any]], graded: Sequence[Graded]) -> list[Change]:
    """Every submission that differs, the largest change first; those that only one run has, too."""
    now = {each.entry.name: each for each in graded}
    found = [
        change for name in sorted({*old, *now}) if (change := _change(name, old.get(name), now.get(name))) is not None
    ]
    return sorted(found, key=lambda change: (change.points is not None, -abs(change.points or 0.0), change.name))


def _change(name: str, old: Mapping[str, Any] | None, now: Graded | None) -> Change | None:
    new = now.results if now is not None else None
    before, after = _score(old), _score(new)
    steps = tuple(_steps(old or {}, new or {})) if before is not None and after is not None else ()
    if before == after and not steps:
        return None
    students = tuple(student.name or student.email for student in now.entry.students) if now is not None else ()
    return Change(name, students, before, after, steps)


def _score(results: Mapping[str, Any] | None) -> float | None:
    return None if results is None or "score" not in results else round(float(results["score"]), 6)


def _steps(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Step]:
    by_name = _knows_names(old) and _knows_names(new)
    before, after = verdicts(old, by_name), verdicts(new, by_name)
    for test in dict.fromkeys([*after, *before]):
        one, two = before.get(test), after.get(test)
        if one is None or two is None or (one.points, one.outcome) != (two.points, two.outcome):
            label = (two or one or Verdict(test, 0, "")).label
            yield Step(test, label, one, two)


def _knows_names(results: Mapping[str, Any]) -> bool:
    known = extra_of(results).get("tests", {})
    return all(str(test.get("number", "")) in known for test in results.get("tests", ()) if "score" in test)


def verdicts(results: Mapping[str, Any], by_name: bool) -> dict[str, Verdict]:
    """Tests with points, by question and name; else by number, with Gradescope's word for what became of them."""
    known = extra_of(results).get("tests", {}) if by_name else {}
    found = {}
    for test in results.get("tests", ()):
        if "score" in test:
            number = str(test.get("number", ""))
            about = known.get(number, {})
            name = about.get("test") or number or str(test.get("name", ""))
            outcome = about.get("outcome") or str(test.get("status", ""))
            found[name] = Verdict(f"{number} {test.get('name', '')}".strip(), float(test["score"]), outcome)
    return found
