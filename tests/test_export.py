"""Exports, graded by the real programs: nbgrader validates, releases and autogrades, Otter checks and runs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.cli import main
from autograder.course import read_course
from autograder.release.reference import reference_notebook
from autograder.source import read_set

SETS = ("ps1", "ps2", "ps3", "ps4")
POINTS = re.compile(r"^points = (.*)$", re.MULTILINE)  # of a test file of Otter's
LIMIT = 900  # seconds for one program: each starts a kernel, which takes long on a machine that is busy
pytestmark = pytest.mark.timeout(2 * LIMIT)


@pytest.fixture(scope="module")
def course(shared_tiny_course: Path) -> Path:
    """A tiny course whose notebook runs to its end."""
    root = shared_tiny_course
    intro = root / "solutions" / "ps9_tiny" / "intro.py"
    intro.write_text(intro.read_text().replace("import math\n", "import math\n\n\ndef save_artifact(*given): ...\n"))
    return root


@pytest.fixture(scope="module")
def solved(course: Path) -> dict[str, Any]:
    loaded = read_course(course)
    return reference_notebook(loaded, read_set(loaded, loaded.sets["ps9_tiny"]))


def program(folder: Path, *words: str) -> str:
    """Run a program in a folder; what it says. nbgrader looks for its own helpers on the PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env={**os.environ, "PATH": path},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def hand_in(release: Path, solved: dict[str, Any], place: Path) -> None:
    """The release with the reference's answers in its cells."""
    notebook = nbformat.read(release, as_version=4)
    answers = {each["id"]: each["source"] for each in solved["cells"] if each["metadata"]["pskit"]["role"] == "answer"}
    answers |= {each["id"]: "Mine." for each in solved["cells"] if each["metadata"]["pskit"]["role"] == "written"}
    for each in notebook.cells:
        each.source = answers.get(each.metadata.get("id"), each.source)
    place.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place)


@pytest.fixture(scope="module")
def nbgrader(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nbgrader")
    assert main(["export", "nbgrader", str(folder), "--root", str(course)]) == 0
    program(folder, "nbgrader", "generate_assignment", "ps9", "--create", "--force")
    return folder


def test_points_of_the_course_folder_are_those_of_the_set(nbgrader: Path) -> None:
    notebook = json.loads((nbgrader / "source" / "ps9" / "ps9.ipynb").read_text())
    points = {each["id"]: each["metadata"].get("nbgrader", {}).get("points") for each in notebook["cells"]}
    given = {name: worth for name, worth in points.items() if worth}
    assert sum(given.values()) == 10
    assert given["q1_line-1a-check"] == 3
    (task,) = [each for each in notebook["cells"] if each["metadata"].get("nbgrader", {}).get("task")]
    assert (task["cell_type"], task["metadata"]["nbgrader"]["points"]) == ("markdown", 3)


def test_formgrader_may_be_for_the_written_answers_only(course: Path, tmp_path: Path) -> None:
    assert main(["export", "nbgrader", str(tmp_path), "--written", "--root", str(course)]) == 0
    notebook = json.loads((tmp_path / "source" / "ps9" / "ps9.ipynb").read_text())
    points = [each["metadata"].get("nbgrader", {}).get("points", 0) for each in notebook["cells"]]
    assert sum(points) == 2


def test_written_answers_reach_formgrader_with_their_rubric_and_no_code(course: Path, tmp_path: Path) -> None:
    root, papers = tmp_path / "course", tmp_path / "papers"
    papers.mkdir()
    assert main(["export", "nbgrader", str(root), "--written", "--root", str(course)]) == 0
    program(root, "nbgrader", "generate_assignment", "ps9", "--create", "--force")
    assert main(["release", "ps9", "--root", str(course)]) == 0
    release = course / "ps9_tiny" / "ps9.ipynb"
    handed_in = json.loads(release.read_text())
    for each in handed_in["cells"]:
        if each["metadata"]["pskit"]["role"] == "written":
            each["source"] = "Because of $a<b$ noise. ![mine](attachment:image.png)"
            each["attachments"] = {"image.png": {"image/png": "iVBORw0KGgo="}}
        elif each["cell_type"] == "code":
            each["source"] = "raise SystemExit('my code ran')"
    (papers / "ada.ipynb").write_text(json.dumps(handed_in))
    words = ["written", "ps9", str(papers), "--release", str(release), "-o", str(tmp_path / "out")]
    assert main([*words, "--nbgrader", str(root)]) == 0
    program(root, "nbgrader", "autograde", "ps9", "--create")
    text = (root / "autograded" / "ada" / "ps9" / "ps9.ipynb").read_text()
    for kept in ("noise. ![mine](attachment:0-image.png)", "iVBORw0KGgo=", "names Gaussian noise"):
        assert kept in text
    assert "my code ran" not in text
    program(root, "nbgrader", "export")
    header, row = (line.split(",") for line in (root / "grades.csv").read_text().splitlines())
    assert (row[header.index("student_id")], float(row[header.index("max_score")])) == ("ada", 2.0)


def test_nbgraders_release_holds_no_solution_and_no_rubric(nbgrader: Path) -> None:
    text = (nbgrader / "release" / "ps9" / "ps9.ipynb").read_text()
    assert "NotImplementedError" in text
    for secret in ("above = sum", "names Gaussian noise", "MARK SCHEME", "Squares are the likelihood"):
        assert secret not in text
        assert secret in (nbgrader / "source" / "ps9" / "ps9.ipynb").read_text()


def test_nbgrader_validates_a_right_answer_and_no_stub(nbgrader: Path, solved: dict[str, Any], tmp_path: Path) -> None:
    release = nbgrader / "release" / "ps9" / "ps9.ipynb"
    hand_in(release, solved, tmp_path / "good.ipynb")
    (tmp_path / "stub.ipynb").write_bytes(release.read_bytes())
    # in the course folder, whose settings give a cell more than nbgrader's 30 seconds
    assert "Success" in program(nbgrader, "nbgrader", "validate", str(tmp_path / "good.ipynb"))
    assert "FAILED" in program(nbgrader, "nbgrader", "validate", str(tmp_path / "stub.ipynb"))


def test_nbgrader_autogrades_and_shows_the_rubric_to_those_who_grade(nbgrader: Path, solved: dict[str, Any]) -> None:
    release = nbgrader / "release" / "ps9" / "ps9.ipynb"
    hand_in(release, solved, nbgrader / "submitted" / "ada" / "ps9" / "ps9.ipynb")
    stub = nbgrader / "submitted" / "ben" / "ps9" / "ps9.ipynb"
    stub.parent.mkdir(parents=True)
    stub.write_bytes(release.read_bytes())
    program(nbgrader, "nbgrader", "autograde", "ps9", "--create")
    program(nbgrader, "nbgrader", "export")
    header, *rows = (line.split(",") for line in (nbgrader / "grades.csv").read_text().splitlines())
    scores = {row[header.index("student_id")]: float(row[header.index("score")]) for row in rows}
    assert scores == {"ada": 3.0, "ben": 0.0}
    assert {float(row[header.index("max_score")]) for row in rows} == {10.0}
    assert "names Gaussian noise" in (nbgrader / "autograded" / "ada" / "ps9" / "ps9.ipynb").read_text()


@pytest.fixture(scope="module")
def otter(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("otter")
    assert main(["export", "otter", str(folder), "ps9", "--root", str(course)]) == 0
    return folder / "ps9"


def test_otter_checks_a_right_answer_and_no_stub(otter: Path, solved: dict[str, Any], tmp_path: Path) -> None:
    release = otter / "ps9.ipynb"
    hand_in(release, solved, tmp_path / "good.ipynb")
    (tmp_path / "stub.ipynb").write_bytes(release.read_bytes())
    tests = str(otter / "tests")
    assert "All tests passed" in program(tmp_path, "otter", "check", "good.ipynb", "-t", tests)
    assert "failed" in program(tmp_path, "otter", "check", "stub.ipynb", "-t", tests)


def test_otter_runs_with_the_same_points(otter: Path, solved: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("")
    program(tmp_path, "otter", "generate", "-t", str(otter / "tests"), "-o", "autograder.zip", "--no-environment")
    for name, points in (("good", 3.0), ("stub", 0.0)):
        submission = tmp_path / f"{name}.ipynb"
        if name == "good":
            hand_in(otter / "ps9.ipynb", solved, submission)
        else:
            submission.write_bytes((otter / "ps9.ipynb").read_bytes())
        (tmp_path / f"{name}-results").mkdir()
        program(tmp_path, "otter", "run", submission.name, "-a", "autograder.zip", "-o", f"{name}-results")
        results = json.loads((tmp_path / f"{name}-results" / "results.json").read_text())
        assert sum(test.get("score", 0) for test in results["tests"]) == points
        assert sum(test.get("max_score", 0) for test in results["tests"]) == 3


@pytest.mark.parametrize("name", SETS)
def test_nbgrader_gets_every_point_of_a_set_once(name: str, tmp_path: Path) -> None:
    assert main(["export", "nbgrader", str(tmp_path), name]) == 0
    notebook = json.loads((tmp_path / "source" / name / f"{name}.ipynb").read_text())
    points = dict[str, float]()
    for each in notebook["cells"]:
        if worth := each["metadata"].get("nbgrader", {}).get("points", 0):
            points[each["metadata"]["pskit"]["part"]] = points.get(each["metadata"]["pskit"]["part"], 0) + worth
    parts = [part for question in notebook["metadata"]["pskit"]["questions"] for part in question["parts"]]
    assert points == {part["part"]: part["points"] for part in parts}
    assert sum(points.values()) == 100
    rubrics = sum("BEGIN MARK SCHEME" in "".join(each["source"]) for each in notebook["cells"])
    assert rubrics == sum(part["kind"] == "written" for part in parts)


@pytest.mark.parametrize("name", SETS)
def test_otter_gets_the_points_of_code_only_and_no_hidden_test(name: str, tmp_path: Path) -> None:
    assert main(["export", "otter", str(tmp_path), name]) == 0
    notebook = json.loads((tmp_path / name / f"{name}.ipynb").read_text())
    parts = [part for question in notebook["metadata"]["pskit"]["questions"] for part in question["parts"]]
    texts = {path.stem: path.read_text() for path in (tmp_path / name / "tests").glob("q*.py")}
    points = {test: float(found[1]) for test, text in texts.items() if (found := POINTS.search(text))}
    assert points.keys() == texts.keys()
    code = {f"q{part['part']}": part["points"] for part in parts if part["kind"] == "code"}
    assert {test: worth for test, worth in points.items() if worth} == code
    assert not any("autograder.hidden" in text for text in texts.values())
