"""Submissions as they really arrive: each file in fixtures/submissions is read, sliced and run like a student's."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pskit.notebook import Submission, Unreadable, read_release, read_submission
from pskit.slicing import slice_for

ARRIVED = Path(__file__).parent / "fixtures" / "submissions"
RELEASE = read_release(ARRIVED / "release.ipynb")
NAMES = ("mean", "moments", "Running")


def definitions(submission: Submission) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The namespace after the slice of all asked names ran, and the slice's notes."""
    sliced = slice_for(NAMES, RELEASE.given, submission.cells)
    namespace: dict[str, Any] = {"__name__": "student"}
    for piece in sliced.pieces:
        exec(compile("\n" * (piece.first_line - 1) + piece.source, piece.filename, "exec"), namespace)
    return namespace, sliced.notes


def assert_solved(namespace: dict[str, Any]) -> None:
    assert namespace["mean"]([1.0, 2.0, 6.0]) == 3.0
    assert namespace["moments"]([1.0, 3.0]) == namespace["Moments"](20.0, 10.0)
    running = namespace["Running"]()
    assert [running.update(v) for v in (2.0, 4.0)] == [2.0, 3.0]


@pytest.mark.parametrize(
    "name",
    [
        "colab.ipynb",
        "stripped.ipynb",
        "shuffled.ipynb",
        "version3.ipynb",
        "magics.ipynb",
        "Kopie von ps0 – Übung №2 (1).ipynb",
        "twice.ipynb",
        "crlf.ipynb",
        "bom.ipynb",
        "utf16.ipynb",
        "plain.py",
        "percent.py",
        "latin1.py",
        "mac_folder.zip",
        "several.zip",
        "nested.zip",
        "folder",
    ],
)
def test_solved_work_is_found_however_it_arrives(name: str) -> None:
    assert_solved(definitions(read_submission(ARRIVED / name, NAMES))[0])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("empty.ipynb", "empty.ipynb is empty (0 bytes). Download it again with File > Download > Download .ipynb"),
        ("not_json.ipynb", "not_json.ipynb is not a complete notebook"),
        ("cut_off.ipynb", "its JSON breaks off or is damaged at line"),
        ("other_json.ipynb", "other_json.ipynb holds JSON, but no notebook"),
        ("login_page.ipynb", "login_page.ipynb is a web page, not a notebook"),
        ("password.zip", "password.zip is protected by a password"),
        ("no_notebook.zip", "no_notebook.zip holds no notebook"),
        ("absent.ipynb", "absent.ipynb does not exist"),
    ],
)
def test_what_cannot_be_read_says_what_happened_and_what_to_do(name: str, sentence: str) -> None:
    if name == "empty.ipynb":
        assert (ARRIVED / name).stat().st_size == 0
    with pytest.raises(Unreadable) as refused:
        read_submission(ARRIVED / name)
    assert sentence in str(refused.value)


def test_the_stub_release_itself_is_a_submission() -> None:
    namespace, _ = definitions(read_submission(ARRIVED / "release.ipynb"))
    with pytest.raises(NotImplementedError, match="Question 1a: mean"):
        namespace["mean"]([1.0])


def test_a_question_solved_twice_counts_as_in_its_last_cell_and_says_so() -> None:
    _, notes = definitions(read_submission(ARRIVED / "twice.ipynb"))
    assert "mean is defined 2 times (cell 2, line 1; cell 3, line 1); the last one counts." in notes


def test_a_damaged_cell_costs_only_the_definition_that_is_damaged() -> None:
    submission = read_submission(ARRIVED / "damaged.ipynb")
    namespace, _ = definitions(submission)
    assert namespace["mean"]([4.0]) == 4.0
    assert namespace["Running"]().update(5.0) == 5.0
    assert "moments" not in namespace
    assert any("Cell 2, line 5" in note and "define moments" in note for note in submission.notes)


def test_lines_keep_their_numbers_when_magics_go() -> None:
    cells = read_submission(ARRIVED / "magics.ipynb").cells
    assert cells[1].source.split("\n")[2].startswith("def mean")
    assert next(i for i, line in enumerate(cells[2].source.split("\n")) if line.startswith("def moments")) == 6


def test_cells_of_other_languages_are_left_out_with_a_note() -> None:
    submission = read_submission(ARRIVED / "magics.ipynb")
    assert [submission.cells[i].source for i in (3, 4, 5)] == ["", "", ""]
    assert any(note.startswith("Cell 5 was left out: it starts with %%writefile") for note in submission.notes)


def test_among_several_notebooks_the_one_with_the_asked_names_is_graded() -> None:
    submission = read_submission(ARRIVED / "several.zip", NAMES)
    assert any("mine/ps0_final.ipynb answers most and is graded" in note for note in submission.notes)
    without_names = read_submission(ARRIVED / "several.zip")
    assert any("helper_0" in cell.source for cell in without_names.cells)


def test_artifacts_come_along_under_their_own_names() -> None:
    assert set(read_submission(ARRIVED / "mac_folder.zip").artifacts) == {"ps0_weights.safetensors"}
    folder = read_submission(ARRIVED / "folder")
    assert set(folder.artifacts) == {"ps0_weights.safetensors"}
    assert "ps0_weights (1).safetensors was read as ps0_weights.safetensors." in folder.notes


def test_written_answers_keep_their_cells_and_what_the_metadata_claims() -> None:
    written = [cell for cell in read_submission(ARRIVED / "colab.ipynb").cells if cell.role == "written"]
    assert [(cell.kind, cell.part, cell.source) for cell in written] == [("markdown", "1d", "*Your answer*")]


def test_a_script_without_cells_keeps_the_files_own_lines() -> None:
    (cell,) = read_submission(ARRIVED / "plain.py").cells
    assert cell.source.split("\n")[0] == (ARRIVED / "plain.py").read_text().split("\n")[0]


def test_sixty_megabytes_of_outputs_cost_little_memory(tmp_path: Path) -> None:
    notebook = json.loads((ARRIVED / "colab.ipynb").read_text())
    pictures = [{"output_type": "display_data", "data": {"image/png": "A" * 30_000_000}}]
    lines = [{"output_type": "stream", "text": [f'step {i} "[{{\\\n' for i in range(1_000_000)]}]
    notebook["cells"][4]["outputs"], notebook["cells"][5]["outputs"] = pictures, lines
    notebook["cells"].append(
        {"cell_type": "markdown", "source": "😀", "attachments": {"a.png": {"x": "B" * 10_000_000}}}
    )
    big = tmp_path / "big.ipynb"
    big.write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")
    assert big.stat().st_size > 60_000_000
    command = (
        "import re, sys; from pathlib import Path; from pskit.notebook import read_submission;"
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]);"
        "before = peak(); s = read_submission(Path(sys.argv[1])); print(len(s.cells), peak() - before)"
    )
    output = subprocess.run(
        [sys.executable, "-c", command, str(big)], capture_output=True, text=True, check=True
    ).stdout
    cells, kilobytes = map(int, output.split())
    assert cells == 12
    assert kilobytes < 150_000


def test_windows_line_ends_are_gone() -> None:
    assert not any("\r" in cell.source for cell in read_submission(ARRIVED / "crlf.ipynb").cells)


def test_the_hash_is_that_of_the_files_as_sha256sum_lists_them(tmp_path: Path) -> None:
    from hashlib import sha256

    notebook, weights = (ARRIVED / "bom.ipynb").read_bytes(), b"\0" * 8
    alone = f"{sha256(notebook).hexdigest()}  notebook\n"
    assert read_submission(ARRIVED / "bom.ipynb").sha256 == sha256(alone.encode()).hexdigest()
    (tmp_path / "another name.ipynb").write_bytes(notebook)
    (tmp_path / "w.safetensors").write_bytes(weights)
    both = f"{alone}{sha256(weights).hexdigest()}  w.safetensors\n"
    assert read_submission(tmp_path).sha256 == sha256(both.encode()).hexdigest()


def test_a_release_tells_what_is_asked_and_what_is_given() -> None:
    (question,) = RELEASE.questions
    assert (RELEASE.set, question.name, question.number, question.points) == ("ps0_moments", "q1_moments", "1", 13)
    assert question.names == NAMES == RELEASE.names
    kinds = {part.part: (part.kind, part.names, part.files) for part in question.parts}
    assert kinds["1a"] == ("code", ("mean",), ())
    assert kinds["1d"] == ("written", (), ())
    assert kinds["1e"] == ("artifact", (), ("ps0_weights.safetensors",))
    assert [cell.number for cell in RELEASE.given] == [2]
    assert [(cell.number, cell.part) for cell in RELEASE.checks] == [(5, "1a")]
    assert math.isclose(sum(part.points for part in question.parts), question.points)


def test_of_two_artifacts_with_one_name_the_one_beside_the_notebook_counts(tmp_path: Path) -> None:
    for folder, content in (("a_backup", b"old"), ("work", b"new")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "w.safetensors").write_bytes(content)
    (tmp_path / "work" / "ps0.ipynb").write_bytes((ARRIVED / "stripped.ipynb").read_bytes())
    assert read_submission(tmp_path).artifacts == {"w.safetensors": b"new"}
