"""The file that is handed in holds what its receipt says, the grader reads the same receipt; what is odd is said."""

import json
import sys
import types
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch

from autograder.course import read_course
from autograder.release.build import build_release
from autograder.release.reference import reference_notebook
from autograder.source import read_set
from pskit import artifact, handin, points_of, save_artifact, submit
from pskit.handin import notebook_here, pack
from pskit.notebook import read_submission
from pskit.notebook.limits import MAX_ARTIFACT_BYTES

ZIP = Path("ps9_submission.zip")


@pytest.fixture(autouse=True)
def notebook_folder(tmp_path, monkeypatch):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.setattr(artifact, "saved", [])
    return folder


@pytest.fixture
def untried(monkeypatch):
    """The fresh process is for the tests of the rehearsal."""
    monkeypatch.setattr("pskit.handin.rehearsal.rehearse", lambda packed: iter(()))


@pytest.fixture
def saved_notebook(notebook_folder):
    path = notebook_folder / "ps9.ipynb"
    path.write_text(nbformat.writes(nbformat.v4.new_notebook()))
    return path


@pytest.fixture(scope="module")
def release(shared_tiny_course) -> bytes:
    course = read_course(shared_tiny_course)
    return build_release(course, course.problem_set("ps9"))["ps9.ipynb"]


@pytest.fixture(scope="module")
def solved(shared_tiny_course) -> bytes:
    course = read_course(shared_tiny_course)
    return nbformat.writes(reference_notebook(course, read_set(course, course.problem_set("ps9")))).encode()


def changed(notebook: bytes, old: str, new: str) -> bytes:
    """The notebook with a text replaced in the source of its cells."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        cell["source"] = "".join(cell["source"]).replace(old, new)
    assert any(new in cell["source"] for cell in content["cells"])
    return json.dumps(content).encode()


def contents(path: Path = ZIP) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def said(capsys: Any, notebook: bytes) -> str:
    Path("ps9.ipynb").write_bytes(notebook)
    submit("ps9")
    return capsys.readouterr().out


def test_the_receipt_is_true_and_the_grader_reads_the_same_one(untried, saved_notebook, tmp_path, capsys):
    save_artifact("m.safetensors", {"mus": torch.ones(2, 3)})
    submit("ps9")
    out, files = capsys.readouterr().out, contents()
    receipt = files.pop("receipt.txt").decode().splitlines()
    assert files["ps9.ipynb"] == saved_notebook.read_bytes()
    assert set(files) == {"ps9.ipynb", "m.safetensors"}
    for name, content in files.items():
        assert f"{sha256(content).hexdigest()}  {name}  ({len(content)} bytes)" in receipt
    read = read_submission(ZIP)
    assert receipt[0] == f"receipt {read.sha256}"
    assert f"Receipt {read.sha256[:12]}, made 20" in out
    with zipfile.ZipFile(ZIP) as archive:
        archive.extractall(tmp_path / "as Gradescope unpacks it")
    unpacked = read_submission(tmp_path / "as Gradescope unpacks it")
    assert (unpacked.sha256, set(unpacked.artifacts)) == (read.sha256, {"m.safetensors"})
    assert not any("receipt" in note for note in unpacked.notes)


def test_the_models_that_the_release_asks_for_go_in_without_being_named(untried, release, notebook_folder, capsys):
    (notebook_folder / "ps9_net.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    out = said(capsys, release)
    assert set(contents()) == {"ps9.ipynb", "ps9_net.safetensors", "receipt.txt"}
    assert "ps9_net.safetensors holds no tensors." in out


def test_a_missing_model_is_said_and_the_rest_is_handed_in(untried, release, capsys):
    assert "ps9_net.safetensors is missing: run the cell that saves it" in said(capsys, release)
    assert set(contents()) == {"ps9.ipynb", "receipt.txt"}


def test_a_model_that_is_too_large_to_be_read_is_said(untried, release, notebook_folder, capsys):
    with (notebook_folder / "ps9_net.safetensors").open("wb") as file:
        file.truncate(MAX_ARTIFACT_BYTES + 1)
    assert "ps9_net.safetensors has 64 MB; at most 64 MB are read." in said(capsys, release)


def test_empty_written_answers_and_stubs_are_said(untried, release, solved, capsys):
    out = said(capsys, release)
    assert "Not implemented yet: 1a, 2a." in out
    assert "The written answer 1b (2 points) is empty." in out
    out = said(capsys, solved)
    assert "Not implemented yet" not in out
    assert "The written answer" not in out


def test_a_written_cell_that_is_gone_is_said(untried, release, capsys):
    content = json.loads(release)
    content["cells"] = [c for c in content["cells"] if c["metadata"]["pskit"]["role"] != "written"]
    assert "The cell for the written answer 1b (2 points) is gone." in said(capsys, json.dumps(content).encode())


def test_a_changed_cell_of_the_course_is_said_and_an_untouched_one_is_not(untried, release, capsys):
    """The release's checksums are nbgrader's, so that none of its cells counts as changed shows that ours are too."""
    assert "was changed" not in said(capsys, release)
    content = json.loads(release)
    given = next(cell for cell in content["cells"] if cell["metadata"]["pskit"]["role"] == "given")
    given["source"] = ["# mine\n", *given["source"]]
    assert 'The cell that begins with "# mine" was changed. The grader uses it' in said(
        capsys, json.dumps(content).encode()
    )


def test_without_a_notebook_nothing_is_written_and_the_sentence_says_what_to_do(notebook_folder, capsys):
    submit("ps9")
    assert "submit('ps9', notebook=\"path/to/ps9.ipynb\")" in capsys.readouterr().out
    assert not list(notebook_folder.iterdir())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{}", "The grader will not read this: ps9.ipynb holds JSON, but no notebook"),
        (b"not a notebook", "The grader will not read this: ps9.ipynb is not a complete notebook"),
        (b'{"cells": 3}', "The grader will not read this: ps9.ipynb holds JSON, but no notebook: it has no cells."),
        (b'{"cells": [1, {"a": 2}]}', "This notebook has lost the marks of its cells and was not tried out."),
    ],
)
def test_whatever_the_notebook_is_it_is_handed_in(notebook_folder, capsys, content, words):
    (notebook_folder / "my copy.ipynb").write_bytes(content)
    submit("ps9", notebook="my copy.ipynb")
    assert contents()["ps9.ipynb"] == content
    assert words in capsys.readouterr().out


@pytest.mark.parametrize("error", [RuntimeError("ours"), KeyboardInterrupt()])
def test_an_error_of_ours_or_an_interruption_leaves_the_file(monkeypatch, saved_notebook, capsys, error):
    def broken(packed):
        raise error

    monkeypatch.setattr("pskit.handin.rehearsal.rehearse", broken)
    submit("ps9")
    out = capsys.readouterr().out
    assert "Please look at this; you can hand the file in as it is:" in out
    assert "(RuntimeError: ours)" in out or "was interrupted" in out
    assert "Receipt " in out
    assert ZIP.exists()


def test_jupyter_names_the_running_notebook(untried, saved_notebook, notebook_folder, monkeypatch, capsys):
    (notebook_folder / "copy.ipynb").write_text("{}")
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook_folder / "copy.ipynb"))
    submit("ps9")
    assert "Taking copy.ipynb as it was saved 0 seconds ago." in capsys.readouterr().out


def test_vs_code_names_the_running_notebook(untried, saved_notebook, notebook_folder, monkeypatch, capsys):
    (notebook_folder / "mine.ipynb").write_text("{}")
    named = types.SimpleNamespace(user_ns={"__vsc_ipynb_file__": str(notebook_folder / "mine.ipynb")})
    monkeypatch.setattr(notebook_here, "shell", lambda: named)
    submit("ps9")
    assert "Taking mine.ipynb as it was saved 0 seconds ago." in capsys.readouterr().out


def test_heavy_outputs_are_left_out_largest_first_and_light_notebooks_stay_as_they_are(monkeypatch, release):
    assert pack.lighter(release) == (release, "")
    content = json.loads(release)
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    for cell, size in zip(code[:3], (3_000, 900_000, 40), strict=True):
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * size}]
    heavy = json.dumps(content).encode()
    monkeypatch.setattr(pack, "HEAVY", len(heavy) - 500_000)
    light, note = pack.lighter(heavy)
    assert len(light) <= pack.HEAVY
    assert note.startswith("The outputs of 1 cells were left out")
    kept = [c for c in json.loads(light)["cells"] if c["cell_type"] == "code"]
    assert [len(c["outputs"]) for c in kept[:3]] == [1, 0, 1]
    assert [c["source"] for c in json.loads(light)["cells"]] == [c["source"] for c in content["cells"]]


@pytest.fixture
def colab(monkeypatch):
    """A page that answers and a browser that takes the download, as far as this test goes."""
    module = types.ModuleType("google.colab")
    downloads: list[str] = []
    page = {"nbformat": 4, "cells": [], "metadata": {"né": 1}}
    module._message = types.SimpleNamespace(blocking_request=lambda what, request, timeout_sec: {"ipynb": page})
    module.files = types.SimpleNamespace(download=downloads.append)
    module.page, module.downloads = page, downloads
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", module)
    return module


def test_colab_gives_the_page_and_takes_the_download(untried, colab):
    submit("ps9")
    assert json.loads(contents()["ps9.ipynb"]) == colab.page
    assert colab.downloads == ["ps9_submission.zip"]


def test_a_page_that_does_not_answer_is_told_with_the_way_around(untried, colab, monkeypatch, capsys):
    monkeypatch.setattr(colab._message, "blocking_request", lambda *_, **__: None)
    submit("ps9")
    assert "Say where it is: File > Download > Download .ipynb" in capsys.readouterr().out
    monkeypatch.setattr(colab._message, "blocking_request", lambda *_, **__: 1 / 0)
    assert notebook_here.quiet_bytes("ps9") == b"{}"


def test_a_download_that_fails_is_told(untried, colab, monkeypatch, capsys):
    monkeypatch.setattr(colab.files, "download", lambda path: 1 / 0)
    submit("ps9")
    assert "The download did not start (division by zero)." in capsys.readouterr().out


def test_points_and_kinds_of_all_parts_are_read_from_the_release(release):
    Path("ps9.ipynb").write_bytes(release)
    found = points_of("ps9")
    assert {part: found[part] for part in ("1a", "2a")} == {"1a": (3, "code"), "2a": (2, "code")}
    assert sum(points for points, _ in found.values()) == 10
    assert {kind for _, kind in found.values()} == {"code", "written", "artifact"}


@pytest.mark.parametrize("content", ["", "{}", '{"metadata": {"pskit": []}}', "[]"])
def test_unknown_points_are_no_trouble(saved_notebook, content):
    saved_notebook.write_text(content)
    assert points_of("ps9") == {}
    saved_notebook.unlink()
    assert points_of("ps9") == {}


def test_an_artifact_says_what_is_in_it_and_what_looks_wrong(capsys):
    save_artifact(
        "m.safetensors",
        {"mus": torch.ones(2, 3), "bad": torch.tensor([float("nan")]), "zero": torch.zeros(4), "n": torch.tensor(0)},
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == [
        "  mus: (2, 3), torch.float32",
        "  bad: (1,), torch.float32  <- holds NaN or infinity: the grader cannot use it",
        "  zero: (4,), torch.float32",
        "  n: (), torch.int64",
    ]
    save_artifact("z.safetensors", {"mus": torch.zeros(2), "n": torch.tensor(0)})
    assert capsys.readouterr().out.endswith("  Every value is zero: is it trained?\n")


def test_an_artifact_of_many_tensors_lists_only_those_in_trouble(capsys):
    many = {f"layer{k}": torch.ones(2, 5) for k in range(100)} | {"bad": torch.tensor([float("inf")])}
    save_artifact("m.safetensors", many)
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  101 tensors with 1,001 numbers, from layer0 to bad",
        "  bad: (1,), torch.float32  <- holds NaN or infinity: the grader cannot use it",
    ]


@pytest.mark.parametrize(
    ("file", "tensors", "kind", "words"),
    [
        ("model.pt", {"x": torch.ones(1)}, ValueError, "must end in .safetensors"),
        ("model.safetensors", {"x": [1.0]}, TypeError, "x is a list; every value must be a tensor"),
    ],
)
def test_what_cannot_be_an_artifact_is_refused(file, tensors, kind, words):
    with pytest.raises(kind, match=words):
        save_artifact(file, tensors)


def test_submit_says_nothing_by_its_value():
    assert handin.submit("ps9") is None
