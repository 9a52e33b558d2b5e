"""results.json: Gradescope's form, and a valid file whatever happens."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError

from autograder.course import Gradescope
from autograder.grading import Report, TestReport
from autograder.grading.outcomes import CouldNotBeGraded, Different, Passed
from autograder.grading.report import CheckReport, Measure, WrittenPart
from autograder.grading.results import MOST_TEXT, headline, results_of
from autograder.grading.results_file import ResultsFile, encode, pessimistic
from tests.contract import assert_is_gradescopes

TEST = TestReport("test_a", "A claim.", "1b", "q1_line", "1b.2", 1.5, Different("value", "wrong value"), "an idea")
REPORT = Report(
    set="ps0_tiny",
    tests=(TEST, replace(TEST, outcome=Passed(), hint=""), replace(TEST, outcome=CouldNotBeGraded("secret.py line 3"))),
    written=(WrittenPart("1c", "Why lines", 2.0),),
    checks=(CheckReport("1a", "passed"), CheckReport("1b", "failed", ("y has shape (3,), got (2,)",))),
    notes=("line is defined 2 times; the last one counts.",),
    attention=("secret.py line 3",),
    seed=7,
    submission="a" * 64,
    release="b" * 64,
    hidden="c" * 64,
    tool="d" * 64,
    walls=(("own user", True, ""), ("files", False, "no Landlock")),
    seconds=1.25,
)


@pytest.mark.parametrize("results", [results_of(REPORT), pessimistic("It broke.")])
def test_results_have_gradescopes_form(results: dict[str, Any]) -> None:
    assert_is_gradescopes(results)
    assert json.loads(encode(results)) == results


@pytest.mark.parametrize("broken", [{"visibilty": "visible"}, {"output_format": "html"}, {"visibility": "hidden"}])
def test_the_contract_refuses_what_gradescope_would_misread(broken: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        assert_is_gradescopes(results_of(REPORT) | broken)


@pytest.mark.parametrize("visibility", ["visible", "after_due_date", "after_published"])
def test_hidden_tests_show_when_the_term_says_and_the_rest_at_once(visibility: str) -> None:
    results = results_of(REPORT, Gradescope(hidden_tests=visibility))
    assert_is_gradescopes(results)
    assert {test["visibility"] for test in results["tests"] if "score" in test} == {visibility}
    assert {test["visibility"] for test in results["tests"] if "score" not in test} == {"visible"}
    assert results["visibility"] == "visible"
    assert "3 of 4.5" in results["output"].splitlines()[0], "the total stays visible, whatever is not"


def test_the_leaderboard_is_opt_in() -> None:
    measured = replace(REPORT, measures=(Measure("nats per patch", 158.0, "desc"),))
    assert "leaderboard" not in results_of(measured)
    results = results_of(measured, Gradescope(leaderboard=True))
    assert results["leaderboard"] == [{"name": "nats per patch", "value": 158.0, "order": "desc"}]
    assert_is_gradescopes(results)
    assert "leaderboard" not in results_of(REPORT, Gradescope(leaderboard=True)), "nothing was measured"


def test_points_number_and_hint_arrive() -> None:
    wrong, right, ungraded, first_check, second_check, written = results_of(REPORT)["tests"]
    assert (wrong["name"], wrong["number"], wrong["score"], wrong["max_score"]) == ("A claim.", "1b.2", 0.0, 1.5)
    assert (wrong["status"], right["status"]) == ("failed", "passed")
    assert wrong["output"] == "Wrong value.\nHint: an idea"
    assert ungraded["score"] == 1.5, "what the course could not grade costs nothing"
    assert (first_check["number"], first_check["status"], "score" in first_check) == ("1a", "passed", False)
    assert (second_check["status"], second_check["output"]) == ("failed", "y has shape (3,), got (2,)")
    assert "score" not in written, "people grade it, so it is neither earned nor lost"
    assert "max_score" not in written
    assert results_of(REPORT)["score"] == 3.0


def test_the_first_lines_say_what_was_graded_and_how() -> None:
    lines = headline(REPORT).splitlines()
    assert lines[0] == (
        "Public checks passed: 1 of 2 parts (no points). Score so far: 3 of 4.5 points by 3 hidden tests, 1 passed."
    )
    assert lines[1].startswith("COULD NOT BE GRADED")
    assert lines[2:] == [
        "Graded: ps0_tiny, release bbbbbbbbbbbb, submission aaaaaaaaaaaa.",
        "Graded by people, and not part of this score: 1c (2).",
        "Staff: this machine lacks walls around the submitted code: files.",
        "Note: line is defined 2 times; the last one counts.",
    ]


def test_details_for_staff_stay_out_of_the_file() -> None:
    assert "secret.py" not in encode(results_of(REPORT)).decode()


def test_the_run_can_be_repeated_from_what_the_file_says() -> None:
    extra = results_of(REPORT)["extra_data"]
    assert (extra["seed"], extra["release_sha256"], extra["submission_sha256"]) == (7, "b" * 64, "a" * 64)
    assert extra["walls"][1] == {"name": "files", "stands": False, "detail": "no Landlock"}
    assert extra["tests"]["1b.2"]["test"] == "q1_line/test_a"
    assert {"hidden_sha256", "tool_sha256", "time_limit", "versions", "memory_mb"} <= set(extra)


def test_any_text_is_written_in_ascii_and_long_texts_are_cut() -> None:
    odd = replace(REPORT, notes=("ü 漢 \ud800 \x00 </script>", "x" * (2 * MOST_TEXT)))
    data = encode(results_of(odd))
    assert data.isascii()
    output = json.loads(data)["output"]
    assert "ü 漢" in output
    assert len(output) < MOST_TEXT + 100
    assert output.endswith("characters, is cut)")


def test_a_pessimistic_file_stands_before_anything_is_graded(tmp_path: Path) -> None:
    ResultsFile(tmp_path / "results")
    results = json.loads((tmp_path / "results" / "results.json").read_text())
    assert results["score"] == 0
    assert "did not finish" in results["output"]


def test_writing_replaces_the_file_and_leaves_no_other(tmp_path: Path) -> None:
    file = ResultsFile(tmp_path)
    before = file.path.stat().st_ino
    file.write(results_of(REPORT))
    file.close()
    assert json.loads(file.path.read_text())["score"] == 3.0
    assert file.path.stat().st_ino != before, "replaced, not overwritten: a reader never sees half a file"
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_a_link_in_the_place_of_the_partial_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / ".results.json.partial").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic link"):
        ResultsFile(tmp_path / "results")
    assert victim.read_text() == "precious"


def test_a_failing_write_leaves_a_valid_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = ResultsFile(tmp_path)

    def no_space(handle: int, data: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", no_space)
    with pytest.raises(OSError, match="No space"):
        file.write(results_of(REPORT))
    monkeypatch.undo()
    assert json.loads(file.path.read_text())["score"] == 0


FULL_DISK = """
import sys
from pathlib import Path
from autograder.grading.results_file import ResultsFile, pessimistic
folder = Path(sys.argv[1])
file = ResultsFile(folder)
try:
    with (folder / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 65536)
except OSError:
    pass
file.write(pessimistic("y" * 1_000_000))
"""


def test_a_disk_that_fills_up_in_between_does_not_stop_the_final_file(tmp_path: Path) -> None:
    """On a file system of 8 MB, in a mount namespace of its own where the host allows one."""
    script = f"mount -t tmpfs -o size=8m none {tmp_path} && {sys.executable} -c '{FULL_DISK}' {tmp_path} && "
    script += f"cat {tmp_path}/results.json"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False)
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("no mount namespaces here")
    assert json.loads(done.stdout)["output"].startswith("yyy"), done.stderr
