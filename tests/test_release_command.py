"""`python -m autograder release`: what it writes, what it leaves alone, what it says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.cli import existing_verbs, main

Q1 = "solutions/ps9_tiny/q1_line.py"


def release(root: Path, *words: str) -> int:
    return main(["release", "--root", str(root), *words])


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def change(root: Path, old: str, new: str) -> None:
    text = (root / Q1).read_text()
    assert old in text
    (root / Q1).write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("name", ["ps9", "ps9_tiny", "ps9_tiny/"])
def test_a_set_is_written_and_then_current(tiny_course: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert release(tiny_course, name) == 0
    assert sorted(files(tiny_course / "ps9_tiny")) == ["README.md", "line.png", "ps9.ipynb"]
    assert release(tiny_course, name) == 0
    assert release(tiny_course, name, "--check") == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "ps9_tiny: ps9.ipynb, README.md, figures/line.png written",
        "ps9_tiny: already current",
        "ps9_tiny: current",
    ]


def test_check_shows_a_readable_diff_and_writes_nothing(tiny_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release(tiny_course)
    before = files(tiny_course / "ps9_tiny")
    change(tiny_course, "# Least squares.", "# Least *squares*.")
    capsys.readouterr()
    assert release(tiny_course, "--check") == 1
    said = capsys.readouterr()
    assert "\n-Least squares.\n+Least *squares*.\n" in said.out
    assert '"source"' not in said.out
    assert "Run `python -m autograder release ps9_tiny`" in said.err
    assert files(tiny_course / "ps9_tiny") == before


def test_check_sees_what_is_missing_surplus_or_edited(tiny_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release(tiny_course)
    folder = tiny_course / "ps9_tiny"
    (folder / "README.md").unlink()
    (folder / "figures" / "old.png").write_bytes(b"")
    (folder / "figures" / "line.png").write_bytes(b"")
    notebook = json.loads((folder / "ps9.ipynb").read_text())
    (folder / "ps9.ipynb").write_text(json.dumps(notebook))
    assert release(tiny_course, "--check") == 1
    said = capsys.readouterr().out
    assert "ps9_tiny/README.md: is missing" in said
    assert "ps9_tiny/figures/old.png: belongs to no source" in said
    assert "ps9_tiny/figures/line.png: the figure differs" in said
    assert "ps9_tiny/ps9.ipynb: differs in its form only" in said


def test_outputs_in_a_committed_release_are_seen(tiny_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release(tiny_course)
    path = tiny_course / "ps9_tiny" / "ps9.ipynb"
    notebook = json.loads(path.read_text())
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    code["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["hello"]}]
    path.write_text(json.dumps(notebook))
    assert release(tiny_course, "--check") == 1
    assert "-# 1 outputs" in capsys.readouterr().out


def test_a_refused_build_leaves_the_old_release(tiny_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release(tiny_course)
    before = files(tiny_course / "ps9_tiny")
    change(tiny_course, "### END SOLUTION", "### END SOLUTON")
    assert release(tiny_course) == 1
    assert files(tiny_course / "ps9_tiny") == before
    said = capsys.readouterr().err
    assert "q1_line.py:" in said
    assert "Traceback" not in said


def test_what_no_longer_belongs_is_removed_and_the_rest_stays(tiny_course: Path) -> None:
    release(tiny_course)
    folder = tiny_course / "ps9_tiny"
    (folder / "figures" / "old.png").write_bytes(b"")
    (folder / "notes.txt").write_text("mine")
    assert release(tiny_course) == 0
    assert sorted(files(folder)) == ["README.md", "line.png", "notes.txt", "ps9.ipynb"]


def test_a_draft_needs_neither_all_questions_nor_hidden_tests(tiny_course: Path, tmp_path: Path) -> None:
    (tiny_course / "solutions/ps9_tiny/q2_net.py").unlink()
    (tiny_course / "autograder/hidden/ps9_tiny/test_q1_line.py").unlink()
    assert release(tiny_course) == 1
    assert release(tiny_course, "--draft", str(tmp_path / "draft")) == 0
    text = (tmp_path / "draft" / "ps9_tiny" / "ps9.ipynb").read_text()
    assert "Question 1a: fit_line" in text
    assert "Question x1a: vertex" in text
    assert not (tiny_course / "ps9_tiny").exists()


def test_an_unknown_set_is_told(tiny_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release(tiny_course, "ps8") == 1
    assert "no set 'ps8'" in capsys.readouterr().err


def test_the_overview_lists_existing_verbs_without_importing_them() -> None:
    script = "import sys, autograder.cli as c; c.overview(c.existing_verbs()); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"nbgrader", "nbformat", "torch", "autograder.release"} & set(done.stdout.split())
    assert "release" in existing_verbs()


def test_an_unknown_verb_is_a_wrong_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["relase"])
    assert caught.value.code == 2
    assert "invalid choice: 'relase'" in capsys.readouterr().err


def test_two_processes_with_other_hash_seeds_build_the_same_bytes(tiny_course: Path) -> None:
    built = []
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "autograder", "release", "--root", str(tiny_course)]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}, cwd="/")
        built.append(files(tiny_course / "ps9_tiny"))
        (tiny_course / "ps9_tiny" / "ps9.ipynb").unlink()
    assert built[0] == built[1]


def test_a_draft_shows_a_grey_pixel_for_a_figure_to_come(tiny_course: Path, tmp_path: Path) -> None:
    figure = tiny_course / "solutions/ps9_tiny/figures/line.png"
    figure.unlink()
    assert release(tiny_course) == 1
    assert release(tiny_course, "--draft", str(tmp_path / "draft")) == 0
    assert (tmp_path / "draft/ps9_tiny/figures/line.png").read_bytes().startswith(b"\x89PNG")
    assert not figure.exists()
