"""An exception of student code as plain data, in the worker. Nothing here trusts the exception's own methods."""

import dis
import re
import types
from collections.abc import Set
from typing import Any

STUB = re.compile(r"Question \S{1,12}: .{1,200}")
COURSE = ("probe", "provided")
MAX_TEXT, MAX_FRAMES = 2000, 20
OUT_OF_MEMORY = "can't allocate memory"


class Missing(AttributeError):
    """The notebook does not define the name that was asked for."""


def describe(error: BaseException, cells: Set[str]) -> dict[str, Any]:
    """The fields of `Raised`; `cells` are the file names of the student's pieces."""
    text = _text(error)
    return {
        "kind": _kind(error, text),
        "text": text,
        "frames": _frames(error, cells),
        "origin": _origin(error, cells),
        "not_implemented": text if isinstance(error, NotImplementedError) and STUB.fullmatch(text) else None,
    }


def _kind(error: BaseException, text: str) -> str:
    if isinstance(error, Missing):
        return "NameError"
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and OUT_OF_MEMORY in text):
        return "MemoryError"
    return type(error).__name__[:80]


def _text(error: BaseException) -> str:
    try:
        return str(str(error))[:MAX_TEXT]
    except BaseException as second:
        return f"(its text could not be read: {type(second).__name__})"


def _steps(error: BaseException) -> list[types.TracebackType]:
    steps, step = [], error.__traceback__
    while step is not None:
        steps.append(step)
        step = step.tb_next
    return steps


def _frames(error: BaseException, cells: Set[str]) -> list[tuple[str, int, str]]:
    frames = [
        (step.tb_frame.f_code.co_filename, step.tb_lineno, step.tb_frame.f_code.co_name[:80])
        for step in _steps(error)
        if step.tb_frame.f_code.co_filename in cells
    ]
    half = MAX_FRAMES // 2
    return frames if len(frames) <= MAX_FRAMES else frames[:half] + frames[-half:]


def _origin(error: BaseException, cells: Set[str]) -> str:
    """Who raised: "student", "library", "probe" or "missing", as in `Raised`."""
    if isinstance(error, Missing):
        return "missing"
    steps = _steps(error)
    mine = [step.tb_frame.f_code.co_filename in cells for step in steps]
    if not any(mine):
        return "student" if isinstance(error, SyntaxError) and error.filename in cells else "probe"
    if not _is_raise(steps[-1]):
        return "library"
    last = steps[-1].tb_frame.f_code.co_filename
    return "student" if last in cells else "probe" if last in COURSE else "library"


def _is_raise(step: types.TracebackType) -> bool:
    """Whether the frame stopped at a `raise` or `assert` of its own, rather than in a call of built-in code."""
    code = step.tb_frame.f_code.co_code
    return 0 <= step.tb_lasti < len(code) and dis.opname[code[step.tb_lasti]] in ("RAISE_VARARGS", "RERAISE")
