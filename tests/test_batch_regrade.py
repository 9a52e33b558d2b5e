"""A regrade against an earlier run: who changes, by how much, through which test; and a page that runs nothing."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from autograder.batch.entries import Entry, Student
from autograder.batch.grades import Graded
from autograder.batch.regrade import Change, changes, old_results, verdicts
from autograder.batch.regrade_page import changes_csv, line, summary, tell, through, write_changes
from autograder.course import Refusal


def result(**points: float) -> dict[str, Any]:
    """A results.json; a test is named by its key, worth 4."""
    lines = [
        {
            "name": f"Claim of {name}",
            "number": f"1a.{i}",
            "score": score,
            "max_score": 4.0,
            "output": "",
            "tags": [],
            "status": "passed" if score == 4.0 else "failed",
        }
        for i, (name, score) in enumerate(points.items(), 1)
    ]
    outcome = {4.0: "Passed", 0.0: "Different"}
    known = {
        f"1a.{i}": {"test": f"q1/{name}", "outcome": outcome.get(score, "CouldNotBeGraded")}
        for i, (name, score) in enumerate(points.items(), 1)
    }
    return {"score": sum(points.values()), "tests": lines, "extra_data": {"tests": known}}


def graded(name: str, results: dict[str, Any] | None, who: str = "Ada") -> Graded:
    return Graded(Entry(name, Path(), (Student(who),)), results)


OLD = {
    "s1": result(a=4.0, b=0.0),
    "s2": result(a=4.0, b=0.0),
    "s3": result(a=4.0, b=4.0),
    "s4": result(a=0.0, b=0.0),
    "gone": result(a=4.0, b=0.0),
}
NEW = [
    graded("s1", result(b=4.0, a=4.0)),  # the tests changed places: numbers are no names
    graded("s2", result(a=4.0, b=0.0)),
    graded("s3", result(a=0.0, b=4.0, c=1.0), "<script>alert(1)</script>"),
    graded("s4", None),
    graded("new", result(a=4.0, b=0.0)),
]


def test_each_change_is_found_with_its_tests() -> None:
    found = {change.name: change for change in changes(OLD, NEW)}
    assert set(found) == {"s1", "s3", "s4", "gone", "new"}, "who keeps everything is not listed"
    assert found["s1"].points == 4
    assert [(step.test, step.points) for step in found["s1"].steps] == [("q1/b", 4.0)]
    assert [(step.test, step.points) for step in found["s3"].steps] == [("q1/a", -4.0), ("q1/c", 1.0)]
    assert found["s4"].points is None
    assert [change.name for change in changes(OLD, NEW)][:3] == ["gone", "new", "s4"], "what has no result comes first"


def test_the_same_points_by_other_tests_are_a_change_too() -> None:
    (change,) = changes({"s": result(a=4.0, b=0.0)}, [graded("s", result(a=0.0, b=4.0))])
    assert change.points == 0
    assert [step.points for step in change.steps] == [-4.0, 4.0]


def test_a_run_without_extra_data_is_compared_by_number() -> None:
    """As Gradescope's export of results that another program wrote, or that lost theirs."""
    old, new = result(a=4.0, b=0.0), result(a=4.0, b=0.0)
    assert changes({"s": without_names(old)}, [graded("s", new)]) == [], "nothing changed"
    (change,) = changes({"s": without_names(old)}, [graded("s", result(a=4.0, b=4.0))])
    assert [(step.test, step.points) for step in change.steps] == [("1a.2", 4.0)]


def without_names(results: dict[str, Any]) -> dict[str, Any]:
    return {"score": results["score"], "tests": results["tests"]}


@given(st.dictionaries(st.sampled_from("stuv"), st.lists(st.sampled_from([0.0, 2.0, 4.0]), min_size=2, max_size=2)))
def test_steps_add_up_to_the_change_and_a_run_equals_itself(runs: dict[str, list[float]]) -> None:
    old = {name: result(a=points[0], b=0.0) for name, points in runs.items()}
    new = [graded(name, result(a=points[1], b=4.0)) for name, points in runs.items()]
    for change in changes(old, new):
        assert change.points == sum(step.points for step in change.steps)
    assert changes(old, [graded(name, results) for name, results in old.items()]) == []


def test_it_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    found = changes(OLD, NEW)
    assert summary(found, 6) == (
        "Of 6 submissions 1 gain points and 1 lose some; 1 keep theirs. 3 have a result in one of the two runs only."
    )
    assert line(found[3]) == "s1 (Ada): 4 -> 8 (+4): +4 1a.1 Claim of b"
    assert [(each.test, each.gain, each.lose) for each in through(found)] == [
        ("q1/a", 0, 1), ("q1/b", 1, 0), ("q1/c", 1, 0)
    ]  # fmt: skip
    tell(found * 9, 6, Console())
    out = capsys.readouterr().out
    assert "s4 (Ada): no result now" in out
    assert "and 25 more" in out


def test_the_page_holds_no_markup_of_a_students(tmp_path: Path) -> None:
    write_changes("ps1", changes(OLD, NEW), 6, tmp_path)
    page = (tmp_path / "changes.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "default-src 'none'" in page
    assert (tmp_path / "changes.csv").read_text().count("\n") == 1 + 6
    assert changes_csv([Change("s", ("=1+1",), None, 2.0, ())]).endswith("s,'=1+1,,2,,,,,\n")


def test_an_earlier_run_is_a_folder_of_ours_or_an_export(tmp_path: Path) -> None:
    place = tmp_path / "run" / "results" / "s1"
    place.mkdir(parents=True)
    (place / "results.json").write_text(json.dumps(OLD["s1"]))
    (tmp_path / "run" / "results" / "half").mkdir()
    assert set(old_results(tmp_path / "run")) == {"s1"}
    assert set(old_results(tmp_path / "run" / "results")) == {"s1"}
    export = tmp_path / "export"
    export.mkdir()
    (export / "submission_metadata.yml").write_text(
        "submission_1:\n  :score: 2.0\n  :results:\n    :score: 2.0\n    :tests:\n"
        "    - :name: A claim\n      :number: '1a.1'\n      :score: 2.0\n      :status: passed\n"
        "submission_2:\n  :results:\n"
    )
    (results,) = old_results(export).values()
    assert verdicts(results, by_name=False)["1a.1"].points == 2.0
    (zipped,) = old_results(Path(shutil.make_archive(str(tmp_path / "export"), "zip", export))).values()
    assert zipped == results, "as it was downloaded"
    for empty in (tmp_path / "nowhere", tmp_path / "run" / "results" / "half"):
        with pytest.raises(Refusal, match="no results of an earlier run"):
            old_results(empty)
