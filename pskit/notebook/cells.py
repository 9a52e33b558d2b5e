"""What a submission is, once read."""

import hashlib
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
    """A student's cells, safetensors files by name, sentences about what was odd, and the hash of what was handed in.

    `sha256` is the `receipt_of` the notebook's file and the safetensors files.
    """

    cells: tuple[Cell, ...]
    artifacts: Mapping[str, bytes]
    notes: tuple[str, ...]
    sha256: str


def receipt_of(notebook: bytes, artifacts: Mapping[str, bytes]) -> str:
    """One hash for a notebook and its safetensors files, whatever zip or folder they came in.

    The SHA-256 of lines "SHA-256 of the file, two spaces, name", as sha256sum writes them, the notebook first and
    without its name.
    """
    lines = [f"{hashlib.sha256(notebook).hexdigest()}  notebook\n"]
    lines += [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(artifacts.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
