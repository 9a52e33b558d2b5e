"""`slice_for`: the pieces of a notebook that wanted names need, and sentences about what was odd on the way.

Never taken into a slice: loops, calls on their own line, asserts, Colab imports, checks. What this does not see: a
change through another name (`alias = TABLE; alias["k"] = 1`) or by a method (`TABLE.append(1)` on its own line), and a
name made by `exec` or `globals()`.
"""

import ast
import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pskit.slicing.closure import Closure
from pskit.slicing.units import CellLike, Notebook, Piece, Unit, read_units

_PROVIDED = {
    *dir(builtins),
    "__name__",
    "__file__",
    "__builtins__",
    "get_ipython",
    "display",
    "In",
    "Out",
    "_",
    "__",
    "_i",
}


@dataclass(frozen=True)
class Slice:
    """Pieces in the order to run them, wanted names that nothing defines, and sentences for the report."""

    pieces: tuple[Piece, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]


def slice_for(names: Iterable[str], given: Iterable[CellLike], cells: Iterable[CellLike]) -> Slice:
    """The imports, helpers and constants that `names` need, out of a release's given cells and a student's cells.

    Names that a given cell binds are taken from there, whatever the student made of them. All given imports of a name
    that is used are in (`import scipy.stats` binds scipy, and so does `import scipy.special`), and no others, so that
    grading does not need what only plots use.
    Never raises because of what the cells hold.
    """
    wanted = list(dict.fromkeys(names))
    book = _read(tuple(given), tuple(cells))
    closure = Closure(book.units)
    closure.want(wanted)
    closure.want_units(i for i, unit in enumerate(book.units) if unit.kind == "star import")
    closure.want_units(i for i, unit in enumerate(book.units) if _given_import(unit) and unit.binds & closure.used())
    missing = tuple(name for name in wanted if name in closure.unresolved)
    order = closure.order()
    notes = [*book.notes, *_twice(wanted, closure), *_redefined(order, book.units), *_unresolved(wanted, closure, book)]
    return Slice(tuple(book.units[i].piece for i in order), missing, tuple(dict.fromkeys(notes)))


@lru_cache(maxsize=2)
def _read(given: tuple[CellLike, ...], cells: tuple[CellLike, ...]) -> Notebook:
    """All units; kept, since every question of a set is sliced out of the same notebook."""
    book = read_units(given, True)
    book.add(read_units(cells, False))
    return book


def _given_import(unit: Unit) -> bool:
    return unit.given and unit.kind == "import"


def _twice(wanted: Sequence[str], closure: Closure) -> list[str]:
    """Which definition counts, for wanted names that are defined more than once."""
    notes = []
    for name in wanted:
        units = [closure.units[i] for i in closure.binders(name) if name not in closure.units[i].changes]
        if len(units) > 1:
            places = "; ".join(unit.place for unit in units[-5:])
            stub = " It is still the stub." if _is_stub(units[-1]) and not _is_stub(units[-2]) else ""
            notes.append(f"{name} is defined {len(units)} times ({places}); the last one counts.{stub}")
    return notes


def _is_stub(unit: Unit) -> bool:
    return 'raise NotImplementedError("Question ' in unit.piece.source


def _redefined(order: Sequence[int], units: Sequence[Unit]) -> list[str]:
    """Names of the given code in this slice that the student binds to something else."""
    ours = {name: units[i] for i in order if units[i].given and units[i].kind != "import" for name in units[i].binds}
    suspects = [unit for unit in units if not unit.given and unit.binds & ours.keys()]
    originals = {_shape(unit) for unit in units if unit.given and suspects}
    notes = []
    for unit in suspects:
        if _shape(unit) not in originals:
            names = ", ".join(sorted(unit.binds & ours.keys()))
            notes.append(f"{unit.place} changes {names}, which the notebook provides; the provided one is used.")
    return notes


def _shape(unit: Unit) -> str:
    """The statement without its layout and comments."""
    return ast.unparse(ast.parse(unit.piece.source))


def _unresolved(wanted: Sequence[str], closure: Closure, book: Notebook) -> list[str]:
    """A sentence for each needed name that no statement of a slice can bind."""
    stars = any(unit.kind == "star import" for unit in book.units)
    later = {name for unit in book.units for name in unit.names.sets_later}
    notes = []
    for name, user in closure.unresolved.items():
        who = f"{user.place} needs {name}" if user else f"{name} is asked for"
        if name in book.run_only:
            notes.append(f"{who}, but only {book.run_only[name]} binds it, in a block that is not run when grading.")
        elif name in book.colab:
            notes.append(f"{who}, which comes from google.colab; there is no Colab when grading.")
        elif name not in _PROVIDED and not stars and name not in later and name not in wanted:
            notes.append(f"{who}, but no cell defines it.")
    return notes
