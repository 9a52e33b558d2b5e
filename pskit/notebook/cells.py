"""What a submission is, once read."""

from collections.abc import Mapping
from dataclasses import dataclass


class Unreadable(Exception):
    """A submission that cannot be read. The text is a sentence for the student: what, where, what to do."""


@dataclass(frozen=True)
class Cell:
    """One cell. `number` counts all cells from 1; `kind` is "code", "markdown" or "raw".

    The source of a code cell is Python: magics and shell lines are gone and every line keeps its number.
    `role` and `part` are what the cell's metadata claim, "" where it claims nothing; in a submission they are a hint.
    """

    number: int
    source: str
    kind: str
    role: str = ""
    part: str = ""


@dataclass(frozen=True)
class Submission:
    """A student's cells, safetensors files by name, sentences about what was odd, and the notebook file's SHA-256."""

    cells: tuple[Cell, ...]
    artifacts: Mapping[str, bytes]
    notes: tuple[str, ...]
    sha256: str
