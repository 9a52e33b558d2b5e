"""docs/staff.md: every command in its blocks runs, on a class that a fake grader grades in no time."""

import re
import shlex
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from autograder.batch import run
from autograder.batch.job import Answer, Job, answer
from autograder.cli import existing_verbs, main
from autograder.course import load_course, read_course
from autograder.grading.setting import Setting
from autograder.written.browser import find_browser
from tests.fakes.batch_fakes import HASHES, FakeSetting
from tests.gradebooks import ADA, BEN, COURSE, HEADER
from tests.staff_course import change, clone_of_a_mirror, staff_course

HERE = Path(__file__).parent
ROOT = HERE.parent
PAGE = (ROOT / "docs" / "staff.md").read_text(encoding="utf-8")
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTIONS = {
    section.partition("\n")[0]: [line for block in SHELL.findall(section) for line in block.splitlines()]
    for section in PAGE.split("\n## ")
}
START, TERM, BROKEN = "From clone to the first graded upload", "A new term", "A question that turns out broken"
LONG = ("release", "verify", "publish")  # these run in the small course
YAML = """\
submission_{0}:
  :submitters:
  - :name: S{0}
    :email: s{0}@example.edu
  :created_at: 2027-02-12 10:00:00 Z
"""
PAPER = "x = {0}  # points = {0}\n\ndef fit_gaussian(X):\n    return {0}\n"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small course, with an empty mirror and its clone beside it."""
    for who in ("AUTHOR", "COMMITTER"):
        for what in ("NAME", "EMAIL"):
            monkeypatch.setenv(f"GIT_{who}_{what}", "t")
    clone_of_a_mirror(tmp_path)
    monkeypatch.chdir(staff_course(tmp_path / "small"))
    return tmp_path / "small"


@pytest.fixture
def desk(tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as staff have it in front of them: downloads beside each other."""
    folder = tmp_path / "desk"
    folder.mkdir()
    with zipfile.ZipFile(folder / "assignment_export.zip", "w") as archive:
        archive.writestr("export/submission_metadata.yml", "---\n" + "".join(YAML.format(i) for i in (1, 2)))
        for i in (1, 2):
            archive.writestr(f"export/submission_{i}/ps1.py", PAPER.format(i))
    late = ADA.replace("2027-02-13 00:59:30 -0500,01:00:30", "2027-02-14 09:00:00 -0500,00:00:00")
    (folder / "ps1_scores.csv").write_text("\n".join([HEADER, late, BEN]) + "\n")
    by_staff = late.replace("2027-02-14 09:00:00 -0500,00:00:00", "2027-02-16 09:00:00 -0500,45:00:00")
    (folder / "ps1_written.csv").write_text("\n".join([HEADER, by_staff, BEN]) + "\n")
    (folder / "ps2_scores.csv").write_text("\n".join([HEADER, BEN]) + "\n")
    extension = re.search(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert extension is not None
    (folder / "extensions.csv").write_text(extension[1])
    (folder / "course.toml").write_text(COURSE)
    (folder / "log").touch()
    monkeypatch.chdir(folder)
    return folder


def step(command: str, small: Path) -> int:
    """One command of the page; its exit code."""
    words = shlex.split(command)
    if words[0] == "make":
        return subprocess.run(["make", "--dry-run", *words[1:]], cwd=ROOT, capture_output=True).returncode
    assert words[:3] == ["python", "-m", "autograder"], command
    if words[3] == "written" and find_browser() is None:
        return 0  # tests/test_written.py says how to install one
    return main([*words[3:], *(["--root", str(small)] if words[3] in LONG else [])])


def test_every_command_of_the_page_runs(desk: Path, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(setting: Setting, where: Any, jobs: Sequence[Job]) -> Iterator[tuple[Job, Answer]]:
        with FakeSetting("ps0_fake", desk, desk, 0, hashes=HASHES).grader() as grader:
            for job in jobs:
                yield job, answer(grader, job.path, None)

    monkeypatch.setattr(run, "_answers", answers)
    monkeypatch.setattr("autograder.gradebook.command.load_course", lambda root: read_course(desk))
    for title in (START, TERM, BROKEN):
        assert SECTIONS[title], f"{title} has commands"
    for commands in SECTIONS.values():
        for command in commands:
            assert step(command, small) == 0, command
    for made in (
        "graded/ps1/grades.csv", "graded/ps1/report.html", "graded/ps1/similarity.html",
        "graded/ps1-again/changes.html", "graded/ps1-mended/changes.html",
        "grades/gradebook.html", "course-folder/source/ps1/ps1.ipynb", "otter-folder/ps1/tests/q1a.py",
        "dist/ps1_gradescope.zip",
    ):  # fmt: skip
        assert (desk / made).is_file(), made
    gradebook = (desk / "grades" / "gradebook.csv").read_text()
    assert "ada@example.edu,0042,ps1_first,161,200,2027-02-14T09:00:00-05:00,2027-02-14T12:00:00-05:00,,0" in gradebook


def in_small(title: str, small: Path) -> None:
    """The section's commands that a course of its own can run."""
    for command in SECTIONS[title]:
        if command.split()[3:] and command.split()[3] in LONG:
            assert step(command, small) == 0, command


def test_nothing_but_course_toml_holds_a_date_so_a_new_term_is_a_few_commands(small: Path) -> None:
    in_small(START, small)
    change(small / "course.toml", "2027", "2028")
    change(small / "course.toml", "hidden_seed = 7", "hidden_seed = 8")
    in_small(TERM, small)
    tags = subprocess.run(["git", "-C", "../hub.git", "tag"], capture_output=True, text=True, check=True)
    assert tags.stdout.split() == ["spring-2027-1", "spring-2028-1"]
    published = [*(small.parent / "mirror").glob("ps1_tiny/*.*"), small.parent / "mirror" / "README.md"]
    text = "".join(file.read_text() for file in published)
    assert "2028" in text
    assert "2027" not in text


def test_a_question_with_emptied_tests_is_the_only_one_that_verify_finds_fault_with(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["release", "ps1", "--root", str(small)]) == 0
    hidden = small / "autograder" / "hidden" / "ps1_tiny" / "test_q1_line.py"
    hidden.write_text(re.sub(r"^    (got_|expect_).*\n", "", hidden.read_text(), flags=re.MULTILINE))
    capsys.readouterr()
    assert main(["verify", "ps1", "--root", str(small)]) == 1
    faults = re.findall(r"^FAILED +(\w+):", capsys.readouterr().out, re.MULTILINE)
    assert set(faults) == {"q1_line"}


def test_verbs_and_keys_that_the_page_names_exist() -> None:
    named = set(re.findall(r"python -m autograder (\w+)", PAGE))
    assert named <= set(existing_verbs())
    assert {"grade", "report", "similarity", "written", "gradebook", "export"} <= named
    shown = set(re.findall(r"^\| `(\w+)`", PAGE, re.MULTILINE))
    assert shown <= set(vars(load_course().gradescope))
