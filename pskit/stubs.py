"""What is still to be written, and which variables wait for it."""

import dis
import re
from dataclasses import dataclass
from types import FrameType

STUB = re.compile(r"Question (\w[\w.]*): (.+)")


@dataclass(frozen=True)
class Stub:
    """An answer that is not written yet: its part ("4b") and its name ("em_fit")."""

    part: str
    name: str

    def __str__(self) -> str:
        return f"Question {self.part}: {self.name}"


@dataclass(frozen=True)
class Waiting:
    """Why a variable does not exist: the title of the cell that would make it, and what that cell waits for."""

    cell: str
    stub: Stub


waiting: dict[str, Waiting] = {}  # variable -> the cell that would have made it


def stub_of(error: BaseException) -> Stub | None:
    """The stub that raised this error, or None when it came from somewhere else."""
    found = STUB.fullmatch(str(error)) if isinstance(error, NotImplementedError) else None
    return Stub(found[1], found[2]) if found else None


def names_made_in(frame: FrameType) -> set[str]:
    """Every variable that this frame's code assigns at the notebook's top level: IPython runs statements singly."""
    return {i.argval for i in dis.get_instructions(frame.f_code) if i.opname in ("STORE_NAME", "STORE_GLOBAL")}
