"""The source of a notebook's code cell as plain Python: magics and shell lines go, every line keeps its number.

A cell that parses is taken as it is. Nothing is executed here. What this does not do: a damaged statement is found by
its unindented lines, so text inside a multi-line string that looks like code can be mistaken for a statement; such a
statement only matters if it defines a name that a question asks for.
"""

import ast
import re
import sys
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pskit.notebook.limits import MAX_SYNTAX_ERRORS

KEPT_MAGICS = {"time", "timeit", "capture", "prun", "memit", "mprun", "snakeviz", "ipytest"}
"""Cell magics whose body is the student's own Python, run in the notebook's own namespace."""

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
"""Named in messages: what a student's newer Python accepts, such as nested quotes in f-strings, may be refused here."""

_SHORT = 20_000  # letters of a source that is worth remembering: a few hundred of these are a few megabytes
_CELL_MAGIC = re.compile(r"\s*%%(\w+)")
_DEFINES = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)|^(\w+)\s*(?::[^=\n]+)?=(?!=)", re.MULTILINE)
_CONTINUES = re.compile(r"\s|$|#|[)\]}]|(?:else|elif|except|finally)\b")


def clean(source: str) -> tuple[str, list[str]]:
    """A code cell's source as Python with the same line numbers, and phrases about what was lost.

    A phrase continues "cell 12": ", line 5 is not Python (...)".
    """
    if _is_python(source):
        return source, []
    source, dropped = _without_cell_magics(source)
    if dropped:
        return "", [f" was left out: it starts with %%{dropped}, so what it defines is no Python of this notebook."]
    if _is_python(source):
        return source, []
    source = _without_line_magics(source)
    return _without_damage(source)


def _is_python(source: str) -> bool:
    """Whether it parses; most cells of a class's notebooks are the same, and one parse of each is enough."""
    return _known_python(source) if len(source) <= _SHORT else syntax_error(source) is None


@lru_cache(maxsize=256)
def _known_python(source: str) -> bool:
    return syntax_error(source) is None


def syntax_error(source: str) -> SyntaxError | None:
    """Why the source does not parse as Python, or None. Also for sources that the parser itself gives up on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d" in a student's string is theirs to learn, not ours to report
        try:
            ast.parse(source)
        except SyntaxError as error:
            return error
        except (ValueError, RecursionError, MemoryError, OverflowError) as error:
            return SyntaxError(str(error) or "too deeply nested")
    return None


def _without_cell_magics(source: str) -> tuple[str, str]:
    """The source with its leading %%magic lines blank, and "" or the first magic whose body is not Python of ours."""
    lines = source.split("\n")
    for i, line in enumerate(lines):
        if not line.strip():
            continue
        magic = _CELL_MAGIC.match(line)
        if not magic:
            break
        if magic[1] not in KEPT_MAGICS:
            return "", magic[1]
        lines[i] = ""
    return "\n".join(lines), ""


def _without_line_magics(source: str) -> str:
    """IPython's own reading of %magic, !shell and help? lines. Every line keeps its place."""
    # half a second, and few submissions need it
    from IPython.core.inputtransformer2 import TransformerManager, classic_prompt, ipython_prompt, leading_indent

    manager: Any = TransformerManager()  # type: ignore[no-untyped-call]
    lines = [line + "\n" for line in source.split("\n")]
    steps: list[Callable[[list[str]], list[str]]] = [leading_indent, classic_prompt, ipython_prompt]
    for undo in steps:
        lines = undo(lines)
    for _ in range(len(lines) + 1):
        try:
            changed, after = manager.do_one_token_transform(lines)
        except Exception:  # the transformer meets text that is no Python at all: whatever it says, the text stays
            break
        if not changed:
            break
        lines = _same_length(lines, after)
    return "".join(lines)


def _same_length(before: list[str], after: list[str]) -> list[str]:
    """`after` with blank lines where a command that stood on several lines became one."""
    missing = len(before) - len(after)
    if missing <= 0:
        return after
    at = next((i for i, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), len(after) - 1)
    return after[: at + 1] + ["\n"] * missing + after[at + 1 :]


def _without_damage(source: str) -> tuple[str, list[str]]:
    """The source with every statement that does not parse blank, and a phrase for each of them."""
    phrases: list[str] = []
    for _ in range(MAX_SYNTAX_ERRORS):
        error = syntax_error(source)
        if error is None:
            return source, phrases
        lines = source.split("\n")
        start, stop = _statement_around(lines, error.lineno or 1)
        phrases.append(_loss(error, "\n".join(lines[start:stop])))
        lines[start:stop] = [""] * (stop - start)
        source = "\n".join(lines)
        if not source.strip():
            return "", phrases
    return "", [*phrases, " was left out: it holds too many lines that are not Python."]


def _statement_around(lines: list[str], lineno: int) -> tuple[int, int]:
    """First and one past last index of the unindented statement that covers line `lineno`, decorators included."""
    start = min(max(lineno, 1), len(lines)) - 1
    while start > 0 and (_CONTINUES.match(lines[start]) or lines[start - 1].startswith("@")):
        start -= 1
    stop = max(start + 1, min(lineno, len(lines)))
    while stop < len(lines) and (_CONTINUES.match(lines[stop]) or lines[stop - 1].startswith("@")):
        stop += 1
    return start, stop


def _loss(error: SyntaxError, text: str) -> str:
    names = [a or b for a, b in _DEFINES.findall(text)]
    holds = f" It seems to define {', '.join(names[:5])}, which is lost." if names else ""
    reason = error.msg.split("\n")[0][:120]
    return f", line {error.lineno or 1}, is not valid Python {VERSION} ({reason}).{holds} The rest of the cell counts."
