"""Gradescope's metadata: groups, extensions, handing in again, rate limits. Its clock is `created_at`, and no other."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import Gradescope
from autograder.grading import Report, TestReport
from autograder.grading.about import about, before, late_hours, lateness_lines
from autograder.grading.gradescope import grade_for_gradescope
from autograder.grading.lateness import in_words, lateness, started_hours
from autograder.grading.outcomes import Passed
from autograder.grading.rate import is_valid, kept_results, over_limit
from autograder.grading.results import results_of
from autograder.grading.upload import Upload, read_upload, upload_of
from tests.contract import assert_is_gradescopes

TINY = Path(__file__).parent / "fixtures" / "tiny_set"
NEW_YORK = ZoneInfo("America/New_York")
GOOD = "def line(x, slope, intercept=0.0):\n    return slope * x + intercept\n"


def metadata(created: str = "2027-02-12T10:00:00.365935-05:00", **more: Any) -> dict[str, Any]:
    return {
        "id": 123456,
        "created_at": created,
        "assignment": {"due_date": "2027-02-12T23:59:00.000000-05:00", "group_submission": True, "total_points": "72"},
        "submission_method": "upload",
        "users": [{"email": "ada@example.edu", "id": 7, "name": "Ada"}],
        "previous_submissions": [],
    } | more


def result(score: float, **extra: Any) -> dict[str, Any]:
    test = TestReport("test_a", "A claim.", "1a", "q1_line", "1a.1", score, Passed())
    hashes = dict.fromkeys(("submission", "release", "hidden", "tool"), "b" * 64)
    results = results_of(Report("ps0_tiny", (test,), **hashes))
    results["extra_data"] |= extra
    return results


def earlier(time: str, results: Any) -> dict[str, Any]:
    return {"submission_time": time, "score": 1.0, "autograder_error": False, "results": results}


# Lateness.


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=90)))
def test_a_started_hour_counts_in_full(late: timedelta) -> None:
    hours = started_hours(late)
    assert timedelta(hours=hours) >= late > timedelta(hours=hours - 1)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)), st.timedeltas(-timedelta(days=9), timedelta(days=9)))
def test_lateness_is_time_that_passed_and_not_the_clock_on_the_wall(due: datetime, after: timedelta) -> None:
    """Also where the hour changes in between: in New York one is missing in March, one is there twice in November."""
    at = due.replace(tzinfo=UTC)
    found = lateness((at + after).astimezone(NEW_YORK), at.astimezone(NEW_YORK))
    assert found == max(after, timedelta(0))


def test_the_night_when_clocks_go_forward_has_one_hour_less() -> None:
    due = datetime(2027, 3, 13, 23, 59, tzinfo=NEW_YORK)
    assert lateness(datetime(2027, 3, 14, 3, 59, tzinfo=NEW_YORK), due) == timedelta(hours=3)
    with pytest.raises(ValueError, match="no offset"):
        lateness(datetime(2027, 3, 14), due)


@pytest.mark.parametrize(
    ("late", "words"),
    [
        (timedelta(seconds=5), "5 s"),
        (timedelta(minutes=61), "1 h 1 min"),
        (timedelta(days=2, hours=3, seconds=59), "2 d 3 h"),
    ],
)
def test_lateness_in_words(late: timedelta, words: str) -> None:
    assert in_words(late) == words


def test_each_submitter_of_a_group_has_an_own_due_date() -> None:
    users = [
        {"id": 7, "email": "ada@example.edu", "name": "Ada"},
        {"id": 8, "assignment": {"due_date": "2027-02-14T23:59:00-05:00"}, "name": "Ben"},
        {"id": 9, "assignment": {"due_date": None}},
    ]
    upload = upload_of(metadata("2027-02-13T01:00:30-05:00", users=users))
    assert late_hours(upload) == [2, 0, 2]
    assert lateness_lines(upload)[0].startswith("Handed in 1 h 1 min after the due date: 2 late hours, each")
    said = json.dumps(about(upload))
    assert "Ada" not in said, "names and addresses stay with Gradescope"
    assert "example.edu" not in said
    assert [each["id"] for each in about(upload)["submitters"]] == ["7", "8", "9"]


@pytest.mark.parametrize("odd", [[], None, {"created_at": 7, "users": {}, "previous_submissions": "x"}, {"users": [1]}])
def test_odd_metadata_is_left_out_and_nothing_is_guessed(odd: Any) -> None:
    upload = upload_of(odd)
    assert about(upload) == {}
    assert lateness_lines(upload) == before(upload) == []


def test_metadata_that_is_no_json_is_no_metadata(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text("[" * 100_000)
    assert read_upload(tmp_path / "m.json") == read_upload(tmp_path / "none.json") == Upload()


def test_a_date_without_offset_is_no_point_in_time() -> None:
    assert upload_of(metadata("2027-02-12T10:00:00")).at is None


# Handing in again, and too often.


def uploads(*entries: dict[str, Any], created: str = "2027-02-12T12:00:00-05:00") -> Upload:
    return upload_of(metadata(created, previous_submissions=list(entries)))


def test_no_limit_means_no_limit() -> None:
    assert over_limit(uploads(*[earlier("2027-02-12T11:00:00-05:00", result(1))] * 9), Gradescope()) is None


TWO = Gradescope(uploads=2, hours=24)
EVENING, MORNING, NOON = "2027-02-11T20:00:00-05:00", "2027-02-12T08:00:00-05:00", "2027-02-12T11:00:00-05:00"


def test_the_third_upload_of_a_day_keeps_the_last_result() -> None:
    upload = uploads(earlier(MORNING, result(40)), earlier(EVENING, result(30)))
    over = over_limit(upload, TWO)
    assert over is not None
    assert over.again == datetime.fromisoformat("2027-02-12T20:00:00-05:00"), "a day after the first of the two"
    results = kept_results(over, about(upload))
    assert_is_gradescopes(results)
    assert results["score"] == 40
    assert results["output"].startswith("This upload was not graded: 2 in any 24 hours are")
    assert "graded from 12 February 20:00 on" in results["output"]
    assert results["extra_data"]["kept_from"] == MORNING
    assert results["extra_data"]["created_at"] == upload.created_at


@pytest.mark.parametrize(
    "unused",
    [
        earlier(NOON, result(40, kept_from=MORNING)),  # was itself over the limit
        earlier(NOON, {"score": 0.0, "output": "Grading did not finish", "tests": []}),
        earlier(NOON, None),
        earlier("not a date", result(40)),
        earlier("2027-02-11T11:59:59-05:00", result(40)),  # more than a day ago
        earlier("2027-02-12T12:00:01-05:00", result(40)),  # after this one: a regrade of it
    ],
)
def test_what_uses_no_upload_up(unused: dict[str, Any]) -> None:
    assert over_limit(uploads(earlier(MORNING, result(40)), unused), TWO) is None
    assert over_limit(uploads(earlier(MORNING, result(40)), earlier(EVENING, result(30)), unused), TWO) is not None


def test_the_result_before_is_told() -> None:
    assert before(uploads(earlier(MORNING, result(40.5)), earlier(NOON, None))) == [
        "Your upload before this one has 40.5 points."
    ]
    assert is_valid(result(1))
    assert not is_valid({"extra_data": {"release_sha256": ""}, "score": True})


# The whole way.


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Gradescope's /autograder, and the installed package of a tiny set."""
    app, root = tmp_path / "opt" / "app", tmp_path / "autograder"
    (app / "ps0_tiny").mkdir(parents=True)
    shutil.copy(TINY / "tiny.ipynb", app / "ps0_tiny" / "ps0.ipynb")
    shutil.copytree(TINY / "hidden", app / "autograder" / "hidden" / "ps0_tiny")
    course = (TINY.parents[2] / "course.toml").read_text(encoding="utf-8")
    (app / "course.toml").write_text(course.replace("uploads = 0", "uploads = 1").replace("= false", "= true"))
    (app.parent / "package.json").write_text(json.dumps({"set": "ps0_tiny", "release": "ps0_tiny/ps0.ipynb"}))
    (root / "submission").mkdir(parents=True)
    (root / "submission" / "ps0.py").write_text(GOOD)
    return root, app.parent


def graded(root: Path, home: Path, about_it: dict[str, Any]) -> dict[str, Any]:
    (root / "submission_metadata.json").write_text(json.dumps(about_it))
    assert grade_for_gradescope(root, home) == 0
    found: dict[str, Any] = json.loads((root / "results" / "results.json").read_text())
    assert_is_gradescopes(found)
    return found


def test_a_late_upload_keeps_its_points_and_a_regrade_changes_nothing(places: tuple[Path, Path]) -> None:
    late = metadata("2027-02-13T00:59:30-05:00")
    first, again = graded(*places, late), graded(*places, late)
    assert "1 h after the due date: 2 late hours" in first["output"]
    assert first["score"] == 3
    assert first["extra_data"]["submitters"][0]["late_hours"] == 2
    assert steady(first) == steady(again), "the clock on the wall has no part in a grade"
    assert {test["visibility"] for test in first["tests"] if "score" in test} == {"after_published"}


def steady(results: dict[str, Any]) -> dict[str, Any]:
    """Without what differs from run to run: times and memory, which decide nothing."""
    extra = {key: value for key, value in results["extra_data"].items() if key not in ("memory_mb", "time_limit")}
    extra["tests"] = {number: {**test, "seconds": 0} for number, test in extra["tests"].items()}
    return {**results, "execution_time": 0, "extra_data": extra}


def test_a_second_upload_of_the_day_keeps_the_first_ones_result(places: tuple[Path, Path]) -> None:
    first = graded(*places, metadata("2027-02-12T09:00:00-05:00"))
    (places[0] / "submission" / "ps0.py").write_text("def line(x, slope, intercept=0.0):\n    return 0\n")
    again = [earlier("2027-02-12T09:00:00-05:00", first)]
    second = graded(*places, metadata("2027-02-12T10:00:00-05:00", previous_submissions=again))
    assert second["score"] == first["score"] == 3
    assert second["output"].startswith("This upload was not graded")
    third = graded(*places, metadata("2027-02-13T09:00:00-05:00", previous_submissions=again))
    assert third["score"] < 3
    assert "Your upload before this one has 3 points." in third["output"]
