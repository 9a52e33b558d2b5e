"""A packaged zip in what a default container grants: image build, grading as root, grading as an unprivileged user."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.cli import main
from autograder.course import load_course
from autograder.demo import submissions

CONFINE = Path(__file__).parent / "container" / "confine.py"
NOBODY = 65534

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a container runs as root; run these tests as root"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv: apt-get install util-linux"),
    pytest.mark.timeout(900),
]


def confined(*command: str, uid: int | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    as_user = [] if uid is None else ["--uid", str(uid)]
    return subprocess.run(
        [sys.executable, str(CONFINE), *as_user, *command],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """The folder of a built image: source/ as unpacked, opt/ as installed. Other users can walk through it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        assert main(["package", "ps1", "-o", name]) == 0
        with zipfile.ZipFile(folder / "ps1_gradescope.zip") as archive:
            archive.extractall(folder / "source")
        built = confined("bash", str(folder / "source/setup.sh"), AUTOGRADER_HOME=str(folder / "opt"))
        assert built.returncode == 0, built.stdout + built.stderr
        assert "The image is ready." in built.stdout
        yield folder


@pytest.fixture(scope="module")
def handed_in() -> Iterator[dict[str, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        yield submissions(Path(folder))


def graded(image: Path, submission: Path, home: Path, uid: int | None = None) -> dict[str, Any]:
    """Lay out /autograder around a submission, run run_autograder there, and read what it left behind."""
    root = Path(tempfile.mkdtemp(dir=image))
    shutil.copytree(submission, root / "submission")
    (root / "submission_metadata.json").write_text(json.dumps({"created_at": "2027-02-12T20:00:00.000000-05:00"}))
    (root / "results").mkdir()
    if uid is not None:
        for path in [root, *root.rglob("*")]:
            os.chown(path, uid, uid)
    runner = image / "run_autograder"
    shutil.copy(image / "source/run_autograder", runner)
    runner.chmod(0o755)
    ran = confined(str(runner), uid=uid, AUTOGRADER_HOME=str(home), AUTOGRADER_ROOT=str(root), HOME=str(root))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    results: dict[str, Any] = json.loads((root / "results/results.json").read_text())
    return results


def full_marks() -> float:
    release = json.loads((load_course().root / "ps1_probabilistic/ps1.ipynb").read_text())
    questions = release["metadata"]["pskit"]["questions"]
    return sum(part["points"] for each in questions for part in each["parts"] if part["kind"] != "written")


def test_root_in_a_container_has_every_wall_and_gives_the_reference_full_marks(
    image: Path, handed_in: dict[str, Path]
) -> None:
    results = graded(image, handed_in["good"], image / "opt")
    assert sum(test["score"] for test in results["tests"] if "score" in test) == full_marks()
    walls = results["extra_data"]["walls"]
    assert walls
    assert all(wall["stands"] for wall in walls), walls


def test_the_untouched_release_scores_nothing(image: Path, handed_in: dict[str, Path]) -> None:
    results = graded(image, handed_in["stub"], image / "opt")
    assert sum(test["score"] for test in results["tests"] if "score" in test) == 0


def test_an_unprivileged_user_grades_and_says_which_walls_are_missing(image: Path, handed_in: dict[str, Path]) -> None:
    home = image / "opt-of-nobody"
    shutil.copytree(image / "opt", home, symlinks=True, ignore=shutil.ignore_patterns("venv"))
    (home / "venv").symlink_to(image / "opt/venv")
    site = next((image / "opt/venv/lib").glob("python*/site-packages"))
    for path in [home, *home.rglob("*")]:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    pointer = site / "autograder-app.pth"
    installed = pointer.read_text()
    pointer.write_text(f"{home / 'app'}\n")
    try:
        results = graded(image, handed_in["good"], home, NOBODY)
    finally:
        pointer.write_text(installed)
    assert sum(test["score"] for test in results["tests"] if "score" in test) == full_marks()
    missing = [wall["name"] for wall in results["extra_data"]["walls"] if not wall["stands"]]
    assert missing == ["own user"]
