"""The reference notebook's definitions for the programs of this folder, and its experiments one by one."""

from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import torch

from autograder import source
from autograder.source import Namespace, cells, execute
from pskit.figures import COLOURS

mpl.rcParams["axes.prop_cycle"] = mpl.cycler(color=COLOURS)  # as in the notebook

SET = Path(__file__).resolve().parents[1]
NEEDED = ("intro", "q1_tokenizer", "q3_transformer", "q4_kv_cache", "q5_training", "q7_scaling", "q8_artifacts")


def definitions() -> Namespace:
    """What the notebook defines, for a processor without a GPU, and the whole text."""
    space = source.definitions(SET, NEEDED)
    text = space["data"].shakespeare()
    cut = len(text) * 9 // 10
    space["ids_train"], space["ids_val"] = space["encode_chars"](text[:cut]), space["encode_chars"](text[cut:])
    space["text_train"] = text[:cut]
    space["here"] = SimpleNamespace(device=torch.device("cpu"))
    # two CPU cores without a GPU: products in bfloat16, which newer processors have in hardware
    space["sixteen_bits"] = lambda device: torch.bfloat16
    return space


def run_cell(space: Namespace, question: str, title: str, instead: dict[str, str]) -> None:
    """Execute the cell of an experiment, with some of its text replaced."""
    for cell in cells(SET, question, ("run",)):
        if f'with experiment("{title}"' in cell.source:
            text = cell.source
            for old, new in instead.items():
                text = text.replace(old, new)
            execute(text, title, space)
