"""What can come back from a worker besides a value, and what its handles are."""

from dataclasses import dataclass
from typing import NamedTuple

ORIGINS = ("student", "library", "probe", "missing")


class Frame(NamedTuple):
    """One student frame of a traceback: "cell 12", the line within that cell, the function's name."""

    cell: str
    line: int
    function: str


@dataclass(frozen=True)
class Handle:
    """An object that stays in its worker; `type_name` is what the worker says it is, such as "VAE"."""

    id: int
    type_name: str
    worker: int


class WorkerOutcome(Exception):
    """Any of the ways in which a request to a worker ends without a value."""


class Raised(WorkerOutcome):
    """Student code raised. The worker is still usable.

    Every field is the worker's claim, clamped in length and type, never trusted: a hostile student can put anything
    into `kind`, `text` and `frames`, and any `origin`.

    kind: the exception's class name, such as "ValueError"; "MemoryError" also for torch's failed allocations.
    text: its message, at most 2,000 characters.
    frames: the student's own frames, outermost first; frames of torch, numpy and of the probe are left out.
    origin: "student" (a `raise` or `assert` of the student's), "library" (torch, numpy or Python itself raised),
        "probe" (no student code was running), "missing" (the notebook does not define the name that was called).
    not_implemented: the text of a stub, such as "Question 1b: gaussian_logpdf", or None.
    """

    def __init__(
        self, kind: str, text: str, frames: tuple[Frame, ...], origin: str, not_implemented: str | None = None
    ) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind, self.text, self.frames = kind, text, frames
        self.origin, self.not_implemented = origin, not_implemented


class TimedOut(WorkerOutcome):
    """No complete reply came in time; the worker has been killed."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"took longer than {seconds:g} s")
        self.seconds = seconds


class Died(WorkerOutcome):
    """The worker's process ended before it replied. `reason` is the end of a sentence: "the process ... ".

    cause: "exit", "signal", "memory", "disk", "threads", "cpu", "walls" (a wall could not be raised), "killed" (by a
    SIGKILL that was not ours: the system's, which ran out of memory, or its own) or "ended" (the request came after
    the worker's end).
    """

    def __init__(self, reason: str, cause: str = "exit") -> None:
        super().__init__(reason)
        self.reason, self.cause = reason, cause


class BadReply(WorkerOutcome):
    """What came back is not a reply; `sentence` says why. The worker has been killed unless `usable`."""

    def __init__(self, sentence: str, *, usable: bool = False) -> None:
        super().__init__(sentence)
        self.sentence, self.usable = sentence, usable


class IsolationError(Exception):
    """The host lacks a wall that `isolation="strict"` asks for, or the fork server did not start."""
