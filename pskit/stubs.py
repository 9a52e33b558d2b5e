"""What is still to be written, and which variables wait for it."""

import dis
import re
import sys
from dataclasses import dataclass
from types import CodeType, TracebackType

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
    stub: Stub | str


waiting: dict[str, Waiting] = {}  # variable -> the cell that would have made it


def stub_of(error: BaseException) -> Stub | None:
    """The stub that raised this error, or None when it came from somewhere else."""
    found = STUB.fullmatch(str(error)) if isinstance(error, NotImplementedError) else None
    return Stub(found[1], found[2]) if found else None


def remember_unmade(title: str, stub: Stub | str, trace: TracebackType) -> None:
    """Note the variables that a cell would have made after the line at which it stopped, and remove old values of them.

    An old value, of a toy example with the same name, would make later cells fail without a cause that one could see.
    """
    frame = trace.tb_frame
    for name in _stored(frame.f_code, after=trace.tb_lasti) - _stored(frame.f_code, before=trace.tb_lasti):
        waiting[name] = Waiting(title, stub)
        frame.f_globals.pop(name, None)


def _stored(code: CodeType, after: int = -1, before: int = sys.maxsize) -> set[str]:
    """The notebook's variables that this code assigns between two of its instructions."""
    made = (i for i in dis.get_instructions(code) if i.opname in ("STORE_NAME", "STORE_GLOBAL"))
    return {i.argval for i in made if after < i.offset < before}
