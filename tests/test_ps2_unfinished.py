"""Question 8 of problem set 2 hands in trained models: where an answer is missing, no cell saves a fresh network."""

import ast
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import pskit.artifact
import pskit.stubs
from autograder.course import load_course
from autograder.source import page
from autograder.source.cells import read_cells
from pskit import figures

SOURCES = load_course().root / "solutions" / "ps2_latent_variable"
QUESTIONS = ("q1_elbo", "q2_vae", "q3_change_of_variables", "q4_coupling_flows")
QUESTIONS += ("q5_gan_objectives", "q6_gan_training", "q8_artifacts")
TRAININGS = ("a variational autoencoder of digits", "RealNVP on two moons", "games on the ring", "digits on demand")
EXPERIMENT = re.compile(r'^with experiment\("(.+?)"[,)]', re.MULTILINE)


def executable(cell: Any) -> ast.Module:
    """A cell as it is; of an experiment that trains none of the four models, its definitions."""
    tree = ast.parse(cell.source)
    title = EXPERIMENT.search(cell.source)
    if cell.role == "run" and not (title and title[1] in TRAININGS):
        tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return tree


def unwritten(name: str) -> Any:
    """An answer as the release has it."""

    def stub(*_: Any, **__: Any) -> Any:
        raise NotImplementedError(f"Question 9z: {name}")

    return stub


def run(file: str, space: dict[str, Any]) -> None:
    """The cells of a source, checks excepted, each under a name of its own as in a kernel; three answers are stubs."""
    for i, cell in enumerate(read_cells(page(SOURCES, file), file)):
        if cell.type == "code" and cell.role in {"given", "answer", "run", "artifact"} and cell.id != "setup":
            exec(compile(executable(cell), f"{file}, cell {i}", "exec"), space)  # the course's own sources
            if "class VAE" in cell.source:
                space["VAE"].elbo = unwritten("elbo")
            if "class RealNVP" in cell.source:
                space["RealNVP"].log_prob = unwritten("log_prob")
            if "def gan_train_step" in cell.source:
                space["gan_train_step"] = unwritten("gan_train_step")


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A kernel's namespace after the first cells, in an empty folder; nothing is drawn, pskit remembers nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(figures, "show", lambda *_: None)
    monkeypatch.setattr(pskit.stubs, "waiting", {})
    monkeypatch.setattr("pskit.experiments.waiting", pskit.stubs.waiting)
    monkeypatch.setattr(pskit.artifact, "saved", [])
    space: dict[str, Any] = {"QUICK": True, "here": SimpleNamespace(device=torch.device("cpu"), quick=True, seed=0)}
    run("intro", space)
    digits, labels = torch.zeros(100, 28, 28, dtype=torch.uint8), torch.zeros(100, dtype=torch.long)
    space |= {"digits_train": digits, "digits_test": digits, "labels_train": labels, "labels_test": labels}
    return space | {"B_train": digits.flatten(1).float(), "B_test": digits.flatten(1).float()}


def test_no_network_is_saved_before_it_is_trained(
    space: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in QUESTIONS:
        run(file, space)
    said = capsys.readouterr().out
    assert list(tmp_path.glob("*.safetensors")) == []
    for name, training, answer in (
        ("vae", TRAININGS[0], "elbo"),
        ("flow", TRAININGS[1], "log_prob"),
        ("runs", TRAININGS[2], "gan_train_step"),
        ("digit_generator", TRAININGS[3], "gan_train_step"),
    ):
        assert (
            f'waits for `{name}`, which the cell "{training}" makes. That cell waits for Question 9z: {answer}' in said
        )
