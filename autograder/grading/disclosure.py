"""What a hidden test's feedback may repeat of an exception that a student's process reports.

The process may lie: every part of the report is the student's own word. So a text is repeated only where it fits a
text that torch, numpy or Python write about shapes, dtypes, devices, names and arguments; a name only where the
student's own notebook holds it; a place only where the notebook has that cell and line, whose text is then taken from
the notebook.

What this does not protect against: a student's function may choose which of these texts to raise, and with which
numbers and names, and on which of its lines. Each failed test lets some tens of bits of its inputs out that way;
MOST_DIGITS and MOST_NAMES keep it at that. No expected value is in the process, so none can come out.
"""

import builtins
import keyword
import math
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import torch

from autograder.grading.known_errors import NAMES, TEMPLATES
from autograder.grading.outcomes import Place
from pskit.notebook import Cell

MOST_DIGITS, MOST_NAMES = 24, 5  # in one text: two shapes of images; "torch.nn.functional" and two names
NUMBER = r"-?\d{1,7}"
SIZES = rf"[\[(]?(?:{NUMBER}|newaxis)?(?:(?:, ?|x){NUMBER}){{0,7}},?[\])]?"
DTYPE = (
    r"(?:torch\.|c10::)?(?:[Ff]loat(?:16|32|64)?|[Dd]ouble|[Hh]alf|[Bb]?[Ff]loat16|[Ll]ong|[Ss]hort|[Bb]yte|[Cc]har|"
    r"[Bb]ool|[Uu]?[Ii]nt(?:8|16|32|64)?|[Cc]omplex(?:Float|Double|64|128)?|bfloat16|BFloat16)"
)
OPERATOR = r"(?:[-+*/@%<>=!&|^~]{1,3}|\*\* or pow\(\)|divmod\(\))"
GAPS = {
    "{n}": NUMBER,
    "{shape}": SIZES,
    "{dtype}": DTYPE,
    "{device}": r"(?:cpu|cuda(?::\d)?|meta)",
    "{operator}": OPERATOR,
    "{letter}": "[A-Za-z]",
    "{name}": r"([A-Za-z_<][\w.<>]{0,80})",
}
STUB = re.compile(r"(Question \w+: \w+)(?:\.(\w+))?")
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
ERROR_NAMES = frozenset(
    [name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)]
    + ["LinAlgError", "_LinAlgError", "OutOfMemoryError", "AxisError", "UFuncTypeError", "BroadcastError"]
)


class Disclosure:
    """The notebook whose author reads the feedback, and the names that its release asks for, by part."""

    def __init__(self, cells: Iterable[Cell], asked: Iterable[tuple[str, str]]) -> None:
        pairs = set(asked)
        self.cells = {cell.number: cell.source.splitlines() for cell in cells if cell.kind == "code"}
        self.asked = frozenset(name for _, name in pairs)
        self.stubs = frozenset(f"Question {part}: {name}" for part, name in pairs)
        written = (IDENTIFIER.findall(line) for lines in self.cells.values() for line in lines)
        self.names = self.asked.union(*written)

    def text(self, text: str) -> str | None:
        """The part of an exception's text that may be repeated, or None."""
        first_line = text.strip().partition("\n")[0][:400]
        for pattern in _patterns():
            match = pattern.match(first_line)
            if match and _is_short(match) and all(map(self._known, _pieces(match))):
                return match.group()
        return None

    def _known(self, name: str) -> bool:
        return name in self.names or name in _library_names()

    def kind(self, name: str) -> str:
        """An exception's class name, where it is a common one or one of the notebook's own."""
        own = name.isidentifier() and not keyword.iskeyword(name) and name in self.names
        name = name.lstrip("_") if name == "_LinAlgError" else name
        return name if name in ERROR_NAMES or own else "an exception"

    def stub(self, text: str) -> str:
        """The text of a stub of the release, "Question 1a: fit_gaussian" or "Question 2a: VAE.encode"; else ""."""
        match = STUB.fullmatch(text.strip())
        ours = match is not None and match[1] in self.stubs and match[2] in {None, *self.names}
        return text.strip() if ours else ""

    def name(self, text: str) -> str | None:
        """A name that the notebook holds, or None."""
        return text if text in self.names else None

    def place(self, frames: Sequence[tuple[str, int, str]]) -> Place | None:
        """The innermost frame, (file, line, function), that lies in the notebook."""
        for filename, line, function in reversed(frames):
            number = re.fullmatch(r"cell (\d{1,6})", filename)
            lines = self.cells.get(int(number[1]), []) if number else []
            if 1 <= line <= len(lines):
                shown = function if IDENTIFIER.fullmatch(function) and function in self.names else ""
                return Place(int(number[1]) if number else 0, line, shown, lines[line - 1].strip()[:200])
        return None


def _pieces(match: re.Match[str]) -> list[str]:
    """The names in a text: "torch.nn.functional" is three."""
    return [piece for name in match.groups() for piece in name.split(".")]


def _is_short(match: re.Match[str]) -> bool:
    """Too few numbers and names to spell an input."""
    digits = sum(character.isdigit() for character in match.group())
    return digits <= MOST_DIGITS and len(_pieces(match)) <= MOST_NAMES


@lru_cache(maxsize=1)
def _library_names() -> frozenset[str]:
    """Public names of torch, numpy and Python, which their error texts name."""
    rooms = (
        builtins,
        torch,
        torch.Tensor,
        torch.linalg,
        torch.nn,
        torch.nn.functional,
        np,
        np.ndarray,
        np.linalg,
        math,
    )
    return NAMES.union({"torch", "numpy", "np", "math", "linalg", "builtins"}, *map(dir, rooms))


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(_pattern(template)) for template in TEMPLATES)


def _pattern(template: str) -> str:
    pieces = re.split(r"(\{\w+\})", template)
    return "".join(GAPS.get(piece) or re.escape(piece) for piece in pieces)
