"""`python -m autograder grade` and Gradescope's harness, from the outside."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.cli import main
from autograder.grading.command import result_folders
from autograder.grading.gradescope import grade_for_gradescope

TINY = Path(__file__).parent / "fixtures" / "tiny_set"
PLACES = ("--release", str(TINY / "tiny.ipynb"), "--hidden", str(TINY / "hidden"))
GOOD = "def line(x, slope, intercept=0.0):\n    return slope * x + intercept\n"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.py"
    path.write_text(GOOD)
    return path


def results(folder: Path) -> dict:
    return json.loads((folder / "results.json").read_text())


def test_a_class_is_graded_and_an_unreadable_submission_gets_a_sentence(tmp_path, good, capsys):
    broken = tmp_path / "broken.ipynb"
    broken.write_text("this is not json")
    code = main(["grade", "ps0_tiny", str(good), str(broken), "-o", str(tmp_path / "out"), *PLACES])
    assert code == 0
    assert results(tmp_path / "out" / "good")["score"] == 3
    assert results(tmp_path / "out" / "broken")["score"] == 0
    assert "broken.ipynb" in results(tmp_path / "out" / "broken")["output"]
    out = capsys.readouterr().out
    assert "q1_line A line" in out
    assert "3/4" in out
    assert "broken.ipynb: 0 points." in out


def test_a_course_mistake_ends_with_exit_code_1_and_tells_staff(tmp_path, good, capsys):
    faulty = (*PLACES[:3], str(TINY / "hidden_faulty"))
    assert main(["grade", "ps0_tiny", str(good), "-o", str(tmp_path), "--question", "q2_curve", *faulty]) == 1
    assert "STAFF: good.py: q2_curve:" in capsys.readouterr().err
    assert results(tmp_path / "good")["score"] == 3, "the question's points are not lost"
    graded = [test["number"] for test in results(tmp_path / "good")["tests"] if "score" in test]
    assert graded == ["2a.1"], "one question, graded alone"


def test_two_submissions_of_one_name_get_two_folders(tmp_path, good):
    other = tmp_path / "other" / "good.py"
    other.parent.mkdir()
    shutil.copy(good, other)
    folders = result_folders([good, other, good.parent / "other"], tmp_path / "out")
    assert [path.name for path in folders.values()] == ["good", "good-2", "other"]


def test_a_submission_that_is_called_as_another_was_counted_keeps_its_own_folder(tmp_path, good):
    other, second = tmp_path / "other" / "good.py", tmp_path / "good-2.py"
    other.parent.mkdir()
    shutil.copy(good, other)
    shutil.copy(good, second)
    folders = result_folders([good, other, second, good], tmp_path / "out")
    assert [path.name for path in folders.values()] == ["good", "good-3", "good-2"]


def test_an_earlier_run_is_not_written_over_while_it_is_compared_with(tmp_path, good, capsys):
    kept = tmp_path / "out" / "results" / "good" / "results.json"
    kept.parent.mkdir(parents=True)
    kept.write_text('{"score": 1, "tests": []}')
    for earlier in (tmp_path / "out", tmp_path / "out" / "results"):
        words = ["grade", "ps0_tiny", str(good), "-o", str(tmp_path / "out"), "--against", str(earlier), *PLACES]
        assert main(words) == 1
        assert "the new results would replace these. Choose another -o." in capsys.readouterr().err
    assert results(kept.parent)["score"] == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nowhere.ipynb", *PLACES], 2, "nowhere.ipynb does not exist"),
        (["SELF", "--question", "q1_lin", *PLACES], 1, "Did you mean 'q1_line'?"),
        (["SELF", "--release", "SELF", *PLACES[2:]], 1, "good.py is not a complete notebook"),
        ([], 2, "required"),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_sentence(tmp_path, good, capsys, words, code, said):
    words = [str(good) if word == "SELF" else word for word in words]
    try:
        found = main(["grade", "ps0_tiny", *words, "-o", str(tmp_path / "out")])
    except SystemExit as leaving:
        found = leaving.code
    assert found == code
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An installed package as setup.sh leaves it, but for the interpreter."""
    app = tmp_path / "opt" / "app"
    (app / "ps0_tiny").mkdir(parents=True)
    shutil.copy(TINY / "tiny.ipynb", app / "ps0_tiny" / "ps0.ipynb")
    shutil.copytree(TINY / "hidden", app / "autograder" / "hidden" / "ps0_tiny")
    shutil.copy(TINY.parents[2] / "course.toml", app)
    manifest = {"set": "ps0_tiny", "release": "ps0_tiny/ps0.ipynb"}
    (app.parent / "package.json").write_text(json.dumps(manifest))
    return app.parent


@pytest.fixture
def harness(tmp_path: Path) -> Path:
    """Gradescope's /autograder."""
    root = tmp_path / "autograder"
    (root / "submission").mkdir(parents=True)
    (root / "results").mkdir()
    (root / "submission" / "my answers.py").write_text(GOOD)
    (root / "submission_metadata.json").write_text(json.dumps({"created_at": "2027-02-12T10:00:00-05:00"}))
    return root


def test_gradescope_gets_its_results(home, harness):
    assert grade_for_gradescope(harness, home) == 0
    found = results(harness / "results")
    assert found["score"] == 3
    assert found["extra_data"]["created_at"] == "2027-02-12T10:00:00-05:00"
    assert [path.name for path in (harness / "results").iterdir()] == ["results.json"]


@pytest.mark.parametrize("lost", ["package.json", "app/course.toml", "app/ps0_tiny/ps0.ipynb"])
def test_a_package_that_lacks_a_file_leaves_the_pessimistic_result(home, harness, lost, capsys):
    (home / lost).unlink()
    assert grade_for_gradescope(harness, home) == 1
    assert "did not finish" in results(harness / "results")["output"]
    assert Path(lost).name in capsys.readouterr().err, "staff read what is missing"


def test_the_package_of_hidden_tests_may_be_lost_too_and_metadata_need_not_be_there(home, harness):
    shutil.rmtree(home / "app" / "autograder")
    (harness / "submission_metadata.json").write_text("[not json")
    assert grade_for_gradescope(harness, home) == 1
    found = results(harness / "results")
    assert "COULD NOT BE GRADED" in found["output"]
    assert found["score"] == 9, "no points are lost by the course's fault"


HANGS = """
import sys
from pathlib import Path
import autograder.grading.batch as batch
from autograder.grading.gradescope import grade_for_gradescope
def hang(*args, **kwargs):
    while True: pass
batch.grade_into = hang
grade_for_gradescope(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_grader_that_hangs_ends_before_the_container_with_a_valid_file(home, harness):
    manifest = json.loads((home / "package.json").read_text())
    (home / "package.json").write_text(json.dumps(manifest | {"timeout_seconds": 8}))
    done = subprocess.run([sys.executable, "-c", HANGS, str(harness), str(home)], timeout=240, capture_output=True)
    assert done.returncode == 1
    assert "did not finish" in results(harness / "results")["output"]


def test_a_results_folder_that_cannot_be_made_is_said(home, harness, capsys):
    shutil.rmtree(harness / "results")
    (harness / "results").write_text("a file in its place")
    assert grade_for_gradescope(harness, home) == 1
    assert "There is no result." in capsys.readouterr().err
