"""Submissions whose files, names and cells attack: the reader of a report, the terminal of staff, what is executed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder.grading import batch

from .referee import STUB, STUB_WEIGHTS, Referee, assert_is_gradescopes, leaks
from .roster import notebook

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
EXIT = "import os\nos._exit(77)\n"


def echo(text: str = "") -> dict[str, Any]:
    """A notebook whose affine fails at a line that holds this text."""
    return notebook(f"def affine(x, factor, shift=0.0):\n    raise ValueError  # {text}\n")


def markup_in_every_cell(folder: Path) -> None:
    """HTML, Markdown links and JavaScript in cells, outputs and titles are text in the report."""
    hostile = echo(SCRIPT)
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": SCRIPT, "text/markdown": SCRIPT}}
    hostile["cells"][0]["outputs"] = [output] * 10
    hostile["cells"].append({"cell_type": "markdown", "metadata": {}, "source": f"[x](javascript:alert(1)) {SCRIPT}"})
    hostile["metadata"] = {"title": SCRIPT, "widgets": {SCRIPT: SCRIPT}}
    (folder / "notebook.ipynb").write_text(json.dumps(hostile))


def metadata_that_claims_points(folder: Path) -> None:
    """What a submission's metadata says about questions, roles and points counts for nothing."""
    hostile = echo()
    parts = [{"part": "1a", "kind": "written", "points": 0, "title": "x"}]
    hostile["metadata"]["pskit"] = {"set": "x", "questions": [{"name": "q1_affine", "points": 99, "parts": parts}]}
    hostile["cells"][0]["metadata"] = {"pskit": {"role": "given", "names": ["affine"]}, "nbgrader": {"points": 99}}
    (folder / "notebook.ipynb").write_text(json.dumps(hostile))


def files_that_pytest_would_load(folder: Path) -> None:
    """conftest.py, pytest.ini, tests and modules named after libraries are not executed by the grader."""
    (folder / "notebook.ipynb").write_text(json.dumps(echo()))
    for name in ("conftest", "test_q1_affine", "torch", "sitecustomize", "autograder", "msgpack", "pskit"):
        (folder / f"{name}.py").write_text(EXIT)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p conftest\n")
    (folder / "results.json").write_text('{"score": 99}')


def magics_that_execute(folder: Path) -> None:
    """Shell lines and magics of a cell are not run."""
    lines = ["!touch /tmp/redteam-magic", "%run -i evil.py", "%load_ext evil", "%%bash\ntouch /tmp/redteam-magic"]
    (folder / "evil.py").write_text(EXIT)
    (folder / "notebook.ipynb").write_text(json.dumps(notebook(*lines, echo()["cells"][0]["source"])))


def names_that_write_to_the_terminal(folder: Path) -> None:
    """File names with escapes, and bytes that are no text, reach the terminal and the report as question marks."""
    for name in (b"\x1b]0;owned\x07.ipynb", b"second\x1b[2J\xff.ipynb", b"third\xe2\x80\xae.ipynb"):
        Path(str(folder), name.decode("utf-8", "surrogateescape")).write_text(json.dumps(echo()))


def a_paper_of_links(folder: Path) -> None:
    """Links to the hidden tests and the results are not followed."""
    (folder / "notebook.ipynb").write_text(json.dumps(echo()))
    (folder / "extra.py").symlink_to(Path(__file__).parent / "target" / "hidden" / "test_q2_cipher.py")
    (folder / "target.safetensors").symlink_to("/etc/passwd")


PAPERS = [
    markup_in_every_cell, metadata_that_claims_points, files_that_pytest_would_load, magics_that_execute,
    names_that_write_to_the_terminal, a_paper_of_links,
]  # fmt: skip


@pytest.mark.parametrize("write", PAPERS, ids=lambda write: str(write.__name__))
def test_a_paper_gains_nothing(
    write: Callable[[Path], None], referee: Referee, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "paper"
    folder.mkdir()
    write(folder)
    results = referee.grade(folder, questions=["q1_affine", "q4_weights"])
    assert results["score"] <= STUB
    assert_is_gradescopes(results)
    assert results["output_format"] == results["test_output_format"] == results["test_name_format"] == "text"
    assert leaks(results) == []
    shown = "".join(capfd.readouterr())
    assert "\x1b" not in shown
    assert json.dumps(results).count("\\u001b") == 0
    assert not Path("/tmp/redteam-magic").exists()


def test_what_surprises_the_grader_costs_its_own_submission_only(
    referee: Referee, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error that nobody thought of leaves the pessimistic file and a sentence, and the next one is graded."""
    folder = tmp_path / "paper"
    folder.mkdir()
    (folder / "target.safetensors").write_bytes(STUB_WEIGHTS)
    with monkeypatch.context() as patch:
        patch.setattr(batch, "read_submission", lambda path, names: {}[path])
        assert batch.grade_one(referee.grader, folder, tmp_path / "out") == 1
    assert "paper could not be graded: the grader failed on it (KeyError)" in capsys.readouterr().err
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["score"] == 0
    assert "does not count" in results["output"]
    referee.assert_healthy()


def test_results_that_cannot_be_written_are_said_in_a_sentence(
    referee: Referee, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert batch.grade_one(referee.grader, tmp_path, tmp_path / "file" / "results") == 1
    assert "cannot be written" in capsys.readouterr().err
