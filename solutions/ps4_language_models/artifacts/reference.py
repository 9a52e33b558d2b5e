"""The reference notebook's definitions in one namespace, for the programs of this folder."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jupytext
import torch

from autograder.source import read_page

SET = Path(__file__).resolve().parents[1]
NEEDED = ("intro", "q1_tokenizer", "q3_transformer", "q4_kv_cache", "q5_training", "q7_scaling", "q8_artifacts")


def definitions() -> dict[str, Any]:
    """What the cells of the roles given and answer define, and the whole text."""
    space: dict[str, Any] = {"__name__": "notebook"}
    for name in filter(_exists, NEEDED):
        for cell in jupytext.reads(read_page(_source(name)), fmt="py:percent").cells:
            if cell.metadata.get("role") in ("given", "answer") and cell.metadata.get("id") != "setup":
                exec(compile(cell.source, name, "exec"), space)
    text = space["data"].shakespeare()
    cut = len(text) * 9 // 10
    space["ids_train"], space["ids_val"] = space["encode_chars"](text[:cut]), space["encode_chars"](text[cut:])
    space["text_train"] = text[:cut]
    space["here"] = SimpleNamespace(device=torch.device("cpu"))
    # two CPU cores without a GPU: products in bfloat16, which newer processors have in hardware
    space["sixteen_bits"] = lambda device: torch.bfloat16
    return space


def _exists(name: str) -> bool:
    return _source(name).exists()


def _source(name: str) -> Path:
    file = SET / f"{name}.py"
    return file if file.exists() else SET / name


def run_cell(space: dict[str, Any], question: str, title: str, instead: dict[str, str]) -> None:
    """Execute the cell of an experiment, with some of its text replaced."""
    for cell in jupytext.reads(read_page(_source(question)), fmt="py:percent").cells:
        if cell.cell_type == "code" and f'with experiment("{title}"' in cell.source:
            source = cell.source
            for old, new in instead.items():
                source = source.replace(old, new)
            exec(compile(source, title, "exec"), space)
