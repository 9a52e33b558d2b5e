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
NEEDED = ("intro", "q1_forward_process", "q2_posterior", "q3_training_loss", "q4_ancestral_sampling", "q5_ddim")
NEEDED += ("q6_guidance", "q7_editing", "q8_flow_matching", "q9_artifacts", "x2_few_steps")

Notebook = dict[str, Any]


def definitions(files: tuple[str, ...] = NEEDED) -> Notebook:
    """Everything that the notebook defines, without its experiments: what is given, the answers, and functions."""
    namespace: Notebook = {"__name__": "notebook", "QUICK": False}
    for file in files:
        for cell in jupytext.reads(read_page(page(SET, file)), "py:percent").cells:
            role = cell.metadata.get("role")
            if role in ("given", "answer", "run") and cell.metadata.get("id") != "setup":
                exec(compile(wanted(cell.source, role), file, "exec"), namespace)
    namespace["here"] = SimpleNamespace(device=torch.device("cpu"), quick=False, seed=0)
    return namespace


def wanted(source: str, role: str) -> ast.Module:
    """A cell as it is, or for a cell that runs experiments the functions and classes that it defines."""
    tree = ast.parse(source)
    if role == "run":
        inner = [line for node in tree.body if isinstance(node, ast.With) for line in node.body]
        tree.body = [node for node in (*tree.body, *inner) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return tree


def in_bfloat16(net: type) -> None:
    """Let networks of this class compute in bfloat16, which processors with matrix units do twice as fast."""
    forward = net.forward

    def faster(self: Any, *args: Any) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16), torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            result: torch.Tensor = forward(self, *args)
        return result.float()

    net.forward = faster
