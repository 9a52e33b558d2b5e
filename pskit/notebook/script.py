"""A submitted .py file to cells: percent cells (jupytext, VS Code, Spyder), nbconvert's "In[3]" cells, or one cell."""

import re

from pskit.notebook.limits import MAX_CELLS
from pskit.notebook.notebook_file import RawCell, plain_text

_HEAD = re.compile(r"^#\s*(?:%%(?P<title>.*)|In\s?\[[\s\d]*\]:.*)$")


def script_cells(text: str) -> list[RawCell]:
    """The cells of a script. A script without cell marks is one code cell, so its line numbers are the file's."""
    cells: list[RawCell] = []
    kind = "code"
    lines: list[str] = []
    for line in plain_text(text).split("\n"):
        head = _HEAD.match(line)
        if head and len(cells) < MAX_CELLS:
            _close(cells, kind, lines)
            kind, lines = _kind(head["title"] or ""), []
        else:
            lines.append(line)
    _close(cells, kind, lines)
    return cells


def _kind(title: str) -> str:
    return "markdown" if "[markdown]" in title or "[md]" in title else "raw" if "[raw]" in title else "code"


def _close(cells: list[RawCell], kind: str, lines: list[str]) -> None:
    """Append the cell that ends here; blank text before the first mark is no cell."""
    if not cells and not "".join(lines).strip():
        return
    if kind == "markdown":
        lines = [re.sub(r"^# ?", "", line) for line in lines]
    cells.append(RawCell(len(cells) + 1, "\n".join(lines).strip("\n") if cells else "\n".join(lines), kind))
