"""The file that is handed in holds what its receipt says; whatever is missing is a sentence."""

import hashlib
import json
import sys
import types
import zipfile

import nbformat
import pytest
import torch

from pskit import artifact, points_of, save_artifact, submit


@pytest.fixture(autouse=True)
def notebook_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.setattr(artifact, "saved", [])
    return tmp_path


@pytest.fixture
def saved_notebook(notebook_folder):
    path = notebook_folder / "ps1.ipynb"
    path.write_text(nbformat.writes(nbformat.v4.new_notebook()))
    return path


def contents(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_zip_holds_the_notebook_the_artifacts_and_a_true_receipt(saved_notebook, capsys):
    save_artifact("ps1_gmm.safetensors", {"mus": torch.ones(2, 3)})
    path = submit("ps1", artifacts=["ps1_gmm.safetensors"])
    files = contents(path)
    receipt = json.loads(files.pop("receipt.json"))
    assert files["ps1.ipynb"] == saved_notebook.read_bytes()
    assert set(files) == {"ps1.ipynb", "ps1_gmm.safetensors"}
    for name, content in files.items():
        assert receipt["files"][name] == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert f"Its own sha256 is {hashlib.sha256(path.read_bytes()).hexdigest()}." in capsys.readouterr().out


def test_artifacts_that_this_notebook_saved_go_in_by_themselves(saved_notebook):
    save_artifact("a.safetensors", {"x": torch.ones(1)})
    save_artifact("a.safetensors", {"x": torch.ones(2)})
    assert set(contents(submit("ps1"))) == {"ps1.ipynb", "a.safetensors", "receipt.json"}


def test_a_list_of_no_artifacts_means_none(saved_notebook):
    save_artifact("a.safetensors", {"x": torch.ones(1)})
    assert set(contents(submit("ps1", artifacts=[]))) == {"ps1.ipynb", "receipt.json"}


def test_a_missing_artifact_is_said_and_the_rest_is_handed_in(saved_notebook, capsys):
    path = submit("ps1", artifacts=["ps1_gmm.safetensors"])
    assert "ps1_gmm.safetensors is missing: run the cell that saves it." in capsys.readouterr().out
    assert set(contents(path)) == {"ps1.ipynb", "receipt.json"}


def test_without_a_notebook_nothing_is_written_and_the_sentence_says_what_to_do(notebook_folder, capsys):
    assert submit("ps1") is None
    assert "submit('ps1', notebook=\"path/to/ps1.ipynb\")" in capsys.readouterr().out
    assert not list(notebook_folder.iterdir())


def test_a_notebook_under_another_name_can_be_given(notebook_folder):
    (notebook_folder / "my copy.ipynb").write_text("{}")
    assert contents(submit("ps1", notebook="my copy.ipynb"))["ps1.ipynb"] == b"{}"


def test_jupyter_names_the_running_notebook(saved_notebook, notebook_folder, monkeypatch, capsys):
    (notebook_folder / "copy.ipynb").write_text("{}")
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook_folder / "copy.ipynb"))
    submit("ps1")
    assert "Taking copy.ipynb as it was last saved." in capsys.readouterr().out


def test_colab_gives_the_page_and_takes_the_download(monkeypatch):
    downloaded = []
    colab = types.ModuleType("google.colab")
    page = {"nbformat": 4, "cells": []}
    colab._message = types.SimpleNamespace(blocking_request=lambda what, timeout_sec: {"ipynb": page})
    colab.files = types.SimpleNamespace(download=downloaded.append)
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    path = submit("ps1")
    assert json.loads(contents(path)["ps1.ipynb"]) == page
    assert downloaded == ["ps1_submission.zip"]


def test_the_points_of_code_parts_are_read_from_the_release(saved_notebook):
    parts = [{"part": "1a", "kind": "code", "points": 4}, {"part": "1c", "kind": "written", "points": 3}]
    metadata = {"pskit": {"set": "ps1_probabilistic", "questions": [{"name": "q1_gaussian", "parts": parts}]}}
    saved_notebook.write_text(nbformat.writes(nbformat.v4.new_notebook(metadata=metadata)))
    assert points_of("ps1") == {"1a": 4}


@pytest.mark.parametrize("content", ["", "{}", '{"metadata": {"pskit": []}}', "[]"])
def test_unknown_points_are_no_trouble(saved_notebook, content):
    saved_notebook.write_text(content)
    assert points_of("ps1") == {}
    saved_notebook.unlink()
    assert points_of("ps1") == {}


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
