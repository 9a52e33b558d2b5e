"""Public checks: what a student's answer gets right, in words, at once, without ever stopping the notebook.

They are for the student alone. The grader runs its own hidden tests and reads nothing from here.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal

import torch
from torch import Tensor

from pskit import memory
from pskit.compare import difference, kind
from pskit.origin import in_own_cell, last_line
from pskit.stubs import Stub, stub_of, waiting

State = Literal["passed", "failed", "not implemented", "error"]
AFTERWORD = (
    "These are public checks; the hidden tests also look at dtypes, other sizes, numerical range and memory layout, "
    "and judge trained models on data of their own."
)
NOT_CHECKED = {"written": "read by people", "artifact": "judged on hidden data"}
INDENT = "\n" + " " * 13
results: dict[str, dict[str, Any]] = {}  # part -> {"part", "state", "passed", "failed", "messages"}: plain data


class check:
    """The public checks of one part: `with check("1b") as c: c.shape(logp, (3,), "logp")`.

    Every line is printed as it is decided. Whatever the answer does wrong becomes a sentence; only an interruption by
    the student passes through.
    """

    results = results

    def __init__(self, part: str) -> None:
        self.part = part
        self.record: dict[str, Any] = {"part": part, "state": "passed", "passed": 0, "failed": 0, "messages": []}

    def __enter__(self) -> "check":
        print(f"Question {self.part}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, KeyboardInterrupt | GeneratorExit):
            return False
        if error is not None:
            self._explain(error, trace)
        results[self.part] = self.record
        if self.record["state"] != "not implemented":
            print(AFTERWORD)
        return True

    def shape(self, got: Any, shape: tuple[int, ...], name: str) -> bool:
        """`got` is a tensor of this shape; `name` is what the notebook calls it."""
        if not isinstance(got, Tensor):
            return self._line(False, f"{name} is a tensor", f"got {kind(got)}")
        return self._line(tuple(got.shape) == tuple(shape), f"{name}: shape {shape}", f"got {tuple(got.shape)}")

    def dtype(self, got: Any, dtype: torch.dtype, name: str) -> bool:
        """`got` is a tensor of this dtype."""
        if not isinstance(got, Tensor):
            return self._line(False, f"{name} is a tensor", f"got {kind(got)}")
        return self._line(got.dtype == dtype, f"{name} is {dtype}", f"got {got.dtype}")

    def close(self, got: Any, want: Any, what: str, *, rtol: float | None = None, atol: float | None = None) -> bool:
        """`got` equals `want` (a number, nested lists or a tensor) up to rounding; `what` is the claim."""
        differs = difference(got, want, rtol, atol)
        return self._line(differs is None, what, differs or "")

    def equal(self, got: Any, want: Any, what: str) -> bool:
        """`got == want` for integers, strings, lists and other plain data."""
        return self._line(type(got) is type(want) and bool(got == want), what, f"got {got!r}, expected {want!r}")

    def true(self, condition: Any, what: str) -> bool:
        """A property holds; `what` states it."""
        return self._line(bool(condition), what, "this does not hold")

    def finite(self, got: Any, name: str) -> bool:
        """`got` is a tensor without NaN and infinity."""
        if not isinstance(got, Tensor):
            return self._line(False, f"{name} is a tensor", f"got {kind(got)}")
        bad = int((~torch.isfinite(got)).sum())
        return self._line(bad == 0, f"{name} is finite", f"{bad} of {got.numel()} values are NaN or infinite")

    @staticmethod
    def summary(points: Mapping[str, tuple[float, str]] | None = None) -> None:
        """Print a line per part that was checked so far; `points` has what each part is worth, and its kind."""
        points = points or {}
        print(f"{'part':<6}{'points':>7}  public checks")
        for part in sorted(set(results) | set(points), key=_order):
            worth, kind = points.get(part, ("", ""))
            said = NOT_CHECKED.get(kind, "") if part not in results else ""
            print(f"{part:<6}{worth:>7}  {said or _in_words(results.get(part))}")
        if points:
            print(f"{'all':<6}{sum(worth for worth, _ in points.values()):>7g}")
        print(AFTERWORD)

    def _line(self, passed: bool, what: str, why: str) -> bool:
        self.record["passed" if passed else "failed"] += 1
        if passed:
            print(f"  ✓ passed: {what}")
        else:
            self._trouble("failed", f"  ✗ failed: {what}\n            {why}")
        return passed

    def _trouble(self, state: State, message: str) -> None:
        print(message)
        self.record["state"] = state
        self.record["messages"].append(message.strip())

    def _explain(self, error: BaseException, trace: TracebackType | None) -> None:
        stub = stub_of(error)
        if stub is not None:
            self._trouble("not implemented", f"  {self._waits(stub)}")
        elif isinstance(error, NameError):
            self._trouble("error", f"  ! stopped: {_missing_name(error, trace)}")
        elif memory.is_full(error):
            self._trouble("error", f"  ! stopped: {memory.advice(error)}")
        else:
            text = f"  ! stopped: {type(error).__name__}: {_first_lines(error)}"
            where = last_line(trace)
            self._trouble("error", f"{text}{INDENT}in {where}" if where else text)

    def _waits(self, stub: Stub) -> str:
        if stub.part == self.part:
            return f"Question {self.part}: not implemented yet ({stub.name})."
        return f"Question {self.part} waits for {stub}, which is not implemented yet."


def _missing_name(error: NameError, trace: TracebackType | None) -> str:
    name = error.name or str(error)
    if name in waiting:
        cause = waiting[name]
        return f'`{name}` does not exist yet: the cell "{cause.cell}" makes it and waits for {cause.stub}.'
    if trace is not None and in_own_cell(trace):
        return f"`{name}` does not exist yet. Run the cell above that defines it, then this cell again."
    advice = "run the cell that defines it, or check the spelling"
    return f"your code uses `{name}`, which does not exist: {advice}.{INDENT}in {last_line(trace)}"


def _first_lines(error: BaseException, limit: int = 300) -> str:
    try:
        text = " ".join(str(error).split())
    except Exception:  # an exception of the student's own may fail to say what it is
        text = "it cannot say what happened"
    return text if len(text) <= limit else text[:limit] + " ..."


def _order(part: str) -> tuple[bool, int, str]:
    """Parts as the notebook has them: 1a, 2a, 10a, and then the extensions x1a."""
    digits = "".join(ch for ch in part if ch.isdigit())
    return part.startswith("x"), int(digits or 0), part


def _in_words(record: Mapping[str, Any] | None) -> str:
    if record is None:
        return "not run yet"
    if record["state"] == "failed":
        return f"{record['failed']} of {record['passed'] + record['failed']} failed"
    return {"passed": "all passed", "not implemented": "not implemented yet", "error": "stopped by an error"}[
        record["state"]
    ]
