"""docs/staff.md: every command in its blocks runs, on a class that a fake grader grades in no time."""

import re
import shlex
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from autograder.batch import run
from autograder.batch.job import Answer, Job, Setting, answer
from autograder.cli import existing_verbs, main
from autograder.course import load_course
from autograder.course.load import read_course
from autograder.written.browser import find_browser

HERE = Path(__file__).parent
ROOT = HERE.parent
PAGE = (ROOT / "docs" / "staff.md").read_text(encoding="utf-8")
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
sys.path.insert(0, str(HERE / "fakes"))
sys.path.insert(0, str(HERE))

from batch_fakes import HASHES, FakeSetting  # noqa: E402  # after the path
from gradebooks import ADA, BEN, COURSE, HEADER  # noqa: E402

COMMANDS = [line for block in SHELL.findall(PAGE) for line in block.splitlines()]
YAML = """\
submission_{0}:
  :submitters:
  - :name: S{0}
    :email: s{0}@example.edu
  :created_at: 2027-02-12 10:00:00 Z
"""
PAPER = "x = {0}  # points = {0}\n\ndef fit_gaussian(X):\n    return {0}\n"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as staff have it in front of them: downloads beside each other."""
    with zipfile.ZipFile(tmp_path / "assignment_export.zip", "w") as archive:
        archive.writestr("export/submission_metadata.yml", "---\n" + "".join(YAML.format(i) for i in (1, 2)))
        for i in (1, 2):
            archive.writestr(f"export/submission_{i}/ps1.py", PAPER.format(i))
    late = ADA.replace("2027-02-13 00:59:30 -0500,01:00:30", "2027-02-14 09:00:00 -0500,00:00:00")
    (tmp_path / "ps1_scores.csv").write_text("\n".join([HEADER, late, BEN]) + "\n")
    by_staff = late.replace("2027-02-14 09:00:00 -0500,00:00:00", "2027-02-16 09:00:00 -0500,45:00:00")
    (tmp_path / "ps1_written.csv").write_text("\n".join([HEADER, by_staff, BEN]) + "\n")
    (tmp_path / "ps2_scores.csv").write_text("\n".join([HEADER, BEN]) + "\n")
    extension = re.search(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert extension is not None
    (tmp_path / "extensions.csv").write_text(extension[1])
    (tmp_path / "course.toml").write_text(COURSE)
    (tmp_path / "log").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_of_the_page_runs(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(setting: Setting, where: Any, jobs: Sequence[Job]) -> Iterator[tuple[Job, Answer]]:
        with FakeSetting("ps0_fake", desk, desk, 0, hashes=HASHES).grader() as grader:
            for job in jobs:
                yield job, answer(grader, job.path, None)

    monkeypatch.setattr(run, "_answers", answers)
    monkeypatch.setattr("autograder.gradebook.command.load_course", lambda root: read_course(desk))
    assert len(COMMANDS) >= 9
    for command in COMMANDS:
        words = shlex.split(command)
        assert words[:3] == ["python", "-m", "autograder"], command
        if words[3] == "written" and find_browser() is None:
            continue  # tests/test_written.py says how to install one
        assert main(words[3:]) == 0, command
    for made in (
        "graded/ps1/grades.csv", "graded/ps1/report.html", "graded/ps1/similarity.html",
        "graded/ps1-again/changes.html",
        "grades/gradebook.html", "course-folder/source/ps1/ps1.ipynb", "otter-folder/ps1/tests/q1a.py",
        "dist/ps1_gradescope.zip",
    ):  # fmt: skip
        assert (desk / made).is_file(), made
    gradebook = (desk / "grades" / "gradebook.csv").read_text()
    assert "ada@example.edu,0042,ps1_first,161,200,2027-02-14T09:00:00-05:00,2027-02-14T12:00:00-05:00,,0" in gradebook


def test_verbs_and_keys_that_the_page_names_exist() -> None:
    named = set(re.findall(r"python -m autograder (\w+)", PAGE))
    assert named <= set(existing_verbs())
    assert {"grade", "report", "similarity", "written", "gradebook", "export"} <= named
    shown = set(re.findall(r"^\| `(\w+)`", PAGE, re.MULTILINE))
    assert shown <= set(vars(load_course().gradescope))
