"""A notebook's top-level statements as units that may be taken into a slice, and those that never are."""

import ast
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from pskit.slicing.names import Names, names_added_to, names_changed_in_place, names_of
from pskit.slicing.text import is_colab_import, statement_text, without_runs

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign)
_QUIET_CONTEXTS = {"suppress", "no_grad", "inference_mode", "enable_grad", "catch_warnings"}
_UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
_FUTURE = "from __future__ import annotations\n"


class CellLike(Protocol):
    """A notebook cell: its number from 1, its source as Python, its kind ("code", "markdown", "raw")."""

    @property
    def number(self) -> int:
        """Counts from 1."""

    @property
    def source(self) -> str:
        """Python."""

    @property
    def kind(self) -> str:
        """Only "code" matters here."""


@dataclass(frozen=True)
class Piece:
    """Source to compile so that its first line is line `first_line` of `filename` ("cell 12", "given cell 3")."""

    filename: str
    first_line: int
    source: str


@dataclass(frozen=True)
class Unit:
    """One statement. `changes` are names whose former value it needs, to change, to add to or perhaps to keep."""

    piece: Piece
    kind: str  # "def", "class", "import", "star import", "assignment", "block"
    given: bool
    names: Names
    binds: frozenset[str]
    changes: frozenset[str]
    changes_in_place: frozenset[str]
    plain: bool  # a function without decorators: running it calls nothing

    def creates(self, name: str) -> bool:
        """Whether it can bind a name that had no value before: `N += 1` and `N.attr = f` cannot."""
        return name in self.names.binds and (self.kind == "block" or name not in self.changes)

    @property
    def place(self) -> str:
        """Where it stands, for a sentence: "cell 12, line 3"."""
        return f"{self.piece.filename}, line {self.piece.first_line}"


@dataclass
class Notebook:
    """The units in the order of the cells, names that only never-run statements bind (with the place), and notes."""

    units: list[Unit] = field(default_factory=list)
    run_only: dict[str, str] = field(default_factory=dict)
    colab: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def add(self, other: "Notebook") -> None:
        """What further cells hold."""
        self.units += other.units
        self.run_only |= other.run_only
        self.colab |= other.colab
        self.notes += other.notes


def read_units(cells: Iterable[CellLike], given: bool) -> Notebook:
    """The code cells' statements."""
    book = Notebook()
    for cell in cells:
        if cell.kind == "code":
            book.add(_read_cell(f"given cell {cell.number}" if given else f"cell {cell.number}", cell.source, given))
    return book


@lru_cache(maxsize=500)
def _read_cell(filename: str, source: str, given: bool) -> Notebook:
    """One cell; kept, since a class's notebooks differ in few cells, and parsing is a good part of their grading."""
    book = Notebook()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a student's "\d" is no matter of ours
        _parse(filename, source, given, book)
    return book


def _parse(filename: str, source: str, given: bool, book: Notebook) -> None:
    try:
        source = source.replace("\r\n", "\n").replace("\r", "\n")
        statements = ast.parse(source).body
    except _UNPARSABLE as error:
        book.notes.append(f"{filename} was left out: it is not valid Python ({_reason(error)}).")
        return
    lines = source.encode().split(b"\n")
    future = ""
    for statement in statements:
        first_line, text = statement_text(lines, statement)
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            future = _FUTURE if any(alias.name == "annotations" for alias in statement.names) else future
            continue
        try:
            _add(statement, Piece(filename, first_line, text), given, future, book)
        except _UNPARSABLE as error:
            book.notes.append(f"{filename}, line {first_line} was left out: {_reason(error)}.")


def _reason(error: BaseException) -> str:
    return str(getattr(error, "msg", None) or error or "too deeply nested").split("\n")[0][:120]


def _add(statement: ast.stmt, piece: Piece, given: bool, future: str, book: Notebook) -> None:
    """Sort a statement into units, into names that only a run binds, or into what does not matter."""
    kind = _kind(statement)
    if is_colab_import(statement):
        book.colab |= names_of(piece.source).binds
        if (text := _without_colab(statement)) == "":
            return
        piece = Piece(piece.filename, piece.first_line, text)
    if kind == "block":
        book.run_only |= dict.fromkeys(names_of(piece.source).binds, f"{piece.filename}, line {piece.first_line}")
        piece = Piece(piece.filename, piece.first_line, without_runs(piece.source))
        statement = ast.parse(piece.source).body[0]
    names = names_of(piece.source)
    if kind:
        piece = _with_future(piece, kind, future)
        compile(piece.source, piece.filename, "exec", dont_inherit=True)
        book.units.append(_unit(statement, piece, kind, given, names))
    else:
        book.run_only |= dict.fromkeys(names.binds, f"{piece.filename}, line {piece.first_line}")


def _kind(statement: ast.stmt) -> str:
    """The unit's kind, or "" for a statement that grading never runs."""
    if isinstance(statement, _DEFINITIONS):
        return "class" if isinstance(statement, ast.ClassDef) else "def"
    if isinstance(statement, _IMPORTS):
        return "star import" if statement.names[0].name == "*" else "import"
    if isinstance(statement, _ASSIGNMENTS) or type(statement).__name__ == "TypeAlias":  # a node of Python 3.12
        return "assignment"
    if isinstance(statement, ast.Delete):
        return "assignment" if names_changed_in_place(statement) and not _deletes_names(statement) else ""
    return "block" if isinstance(statement, (ast.If, ast.Try)) or _is_quiet(statement) else ""


def _deletes_names(statement: ast.Delete) -> bool:
    """`del f`: not followed, so that a name deleted after its last use in the notebook can still be graded."""
    return any(not isinstance(target, (ast.Attribute, ast.Subscript)) for target in statement.targets)


def _is_quiet(statement: ast.stmt) -> bool:
    """A `with` that only sets a mode, such as `with suppress(ImportError):`; opening files or checks is a run."""
    if not isinstance(statement, ast.With):
        return False
    calls = [item.context_expr.func for item in statement.items if isinstance(item.context_expr, ast.Call)]
    names = [call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls]
    return len(names) == len(statement.items) and set(names) <= _QUIET_CONTEXTS


def _without_colab(statement: ast.stmt) -> str:
    """`import torch, google.colab` as `import torch`; "" where nothing else is imported."""
    if not isinstance(statement, ast.Import):
        return ""
    kept = [alias for alias in statement.names if not is_colab_import(ast.Import([alias]))]
    return ast.unparse(ast.Import(kept)) if kept else ""


def _with_future(piece: Piece, kind: str, future: str) -> Piece:
    """The cell's `from __future__ import annotations` holds for its definitions; it takes the line before them."""
    if future and kind in ("def", "class", "assignment") and piece.first_line > 1:
        return Piece(piece.filename, piece.first_line - 1, future + piece.source)
    return piece


def _unit(statement: ast.stmt, piece: Piece, kind: str, given: bool, names: Names) -> Unit:
    in_place = frozenset(names_changed_in_place(statement))
    changes = in_place | names_added_to(statement)
    if kind == "block":  # one branch may leave a name as it was
        changes |= names.binds
    plain = kind == "def" and not getattr(statement, "decorator_list", [])
    return Unit(piece, kind, given, names, names.binds | changes, changes, in_place, plain)
