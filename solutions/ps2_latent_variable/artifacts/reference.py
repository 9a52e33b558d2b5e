"""The reference notebook as one namespace, for training its models outside of it."""

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jupytext
import matplotlib as mpl
import torch

from autograder.source.pages import page, read_page

mpl.use("Agg")

SET = Path(__file__).resolve().parents[1]
NEEDED = ("intro", "q1_elbo", "q2_vae", "q3_change_of_variables", "q4_coupling_flows")
NEEDED += ("q5_gan_objectives", "q6_gan_training", "q7_lipschitz_critics", "q8_artifacts")
NEEDED += ("x2_vq_vae", "x3_autoregressive_flows")  # for their figures


def cells_of(file: str) -> list[Any]:
    """The cells of a source, with their roles among their metadata."""
    return list(jupytext.reads(read_page(page(SET, file)), fmt="py:percent").cells)


def definitions() -> dict[str, Any]:
    """Everything that the notebook defines, without its experiments: what is given, the answers, and functions."""
    namespace: dict[str, Any] = {"__name__": "notebook"}
    for file in NEEDED:
        for cell in cells_of(file):
            role = cell.metadata.get("role")
            if role in ("given", "answer", "run") and cell.metadata.get("id") != "setup":
                exec(compile(wanted(cell.source, role), file, "exec"), namespace)
    namespace["here"] = SimpleNamespace(device=torch.device("cpu"), quick=False, seed=0)
    return namespace


def wanted(source: str, role: str) -> ast.Module:
    """A cell as it is, or for a cell that runs experiments what it defines."""
    tree = ast.parse(source)
    if role == "run":
        tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return tree
