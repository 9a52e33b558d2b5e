"""A solved notebook whose trainings end after a few steps: every cell runs, every picture is drawn, in a minute."""

from typing import Any

import nbformat

# steps of a training: the ring's pictures show 8 moments, and 5 GPTs are scaled
FEW = {"ps1": 8, "ps2": 8, "ps3": 2, "ps4": 10}
NEEDS_TRAINING = {"8c"}  # PS4's check that larger models are surprised less
FEW_STEPS = """
all_steps = resumable.steps
resumable.steps = lambda run, n, title="": all_steps(run, min(n, FEW), title)
"""


def cut_short(notebook: Any, short: str) -> None:
    """Let no training of this set's notebook be longer than a few steps."""
    after_imports = 1 + next(
        i for i, cell in enumerate(notebook.cells) if "resumable" in cell.source and cell.cell_type == "code"
    )
    notebook.cells.insert(after_imports, nbformat.v4.new_code_cell(f"FEW = {FEW[short]}\n{FEW_STEPS}"))


def excused(short: str) -> set[str]:
    """The parts whose public checks ask for more training than that."""
    return NEEDS_TRAINING if short == "ps4" else set()
