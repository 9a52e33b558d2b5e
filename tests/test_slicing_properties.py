"""Slicing against the truth: running the whole notebook."""

import random
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pskit.notebook import Cell
from pskit.slicing import slice_for
from pskit.slicing.closure import Closure
from pskit.slicing.units import read_units

CONSTANTS, FUNCTIONS, CLASSES = "ABCD", "fgh", "PQ"
constant, function, klass = (st.sampled_from(list(names)) for names in (CONSTANTS, FUNCTIONS, CLASSES))

STATEMENTS = [
    "{A} = {n}",
    "{A} = {B} + {n}",
    "{A} = {f}({n})",
    "{A}, {B} = {B}, {n}",
    "{A} += {B}",
    "{A} = sum({f}(i) + {B} for i in range({n}))",
    "if {A} > {n}: {B} = {n}",
    "try:\n    {A} = {n} // ({B} - {n})\nexcept ZeroDivisionError:\n    {C} = {n}",
    "def {f}(x): return x if x <= 0 else {g}(x - 1) + {A}",
    "def {f}(x, y={A}): return y + {B} * x",
    "def {f}(x):\n    {A} = x + 1\n    return {A} + {B}",
    "{f} = lambda x: {A} - x",
    "class {P}:\n    k = {A}\n    def m(self, x): return self.k + {f}(x) + {B}",
    "class {P}({P}):\n    def m(self, x): return super().m(x) + {n}",
    "{P}.k = {A}",
    "{P}.m = {f}",
    "{f} = {P}().m",
    "{f}.bias = {n}",
    "table = {{{A}: {n}}}",
    "table[{A}] = {f}",
    "def {f}(x): return table.get({A}, {B}) if x else {P}.k",
    "{f}({n})",
    "for i in range({n}): {f}(i)",
    "assert True",
]
statement = st.builds(
    lambda form, A, B, C, f, g, P, n: form.format(A=A, B=B, C=C, f=f, g=g, P=P, n=n),
    st.sampled_from(STATEMENTS),
    constant,
    constant,
    constant,
    function,
    function,
    klass,
    st.integers(0, 3),
)
PRELUDE = ["A = 1", "B = 2", "C = 3", "D = 4", "def f(x): return x + A", "def g(x): return x", "def h(x): return B"]


def whole(statements: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """The statements that run without an error, and the namespace that they leave."""
    namespace: dict[str, Any] = {"__name__": "student"}
    kept = []
    for source in statements:
        try:
            exec(source, namespace)
        except Exception:
            continue
        kept.append(source)
    return kept, namespace


def outcomes(namespace: dict[str, Any], name: str) -> list[object]:
    """What a function gives for a few arguments; an error counts by its type."""
    found: list[object] = []
    for x in range(4):
        try:
            value = namespace[name](x)
            found.append(value if isinstance(value, (int, float)) else type(value).__name__)
        except Exception as error:
            found.append(type(error).__name__)
    return found


def sliced(name: str, statements: Sequence[str]) -> dict[str, Any]:
    cells = [Cell(i, source, "code") for i, source in enumerate(statements, 1)]
    namespace: dict[str, Any] = {"__name__": "student"}
    for piece in slice_for([name], [], cells).pieces:
        exec(piece.source, namespace)
    return namespace


@given(st.lists(statement, min_size=1, max_size=14), function)
@settings(max_examples=400, deadline=None)
def test_a_slice_computes_what_the_whole_notebook_computes(statements: list[str], name: str) -> None:
    kept, namespace = whole(PRELUDE + statements)
    assert outcomes(sliced(name, kept), name) == outcomes(namespace, name)


@given(st.lists(statement, max_size=8), function, st.integers())
@settings(max_examples=100, deadline=None)
def test_irrelevant_cells_and_their_order_change_nothing(statements: list[str], name: str, seed: int) -> None:
    kept, _ = whole(PRELUDE + statements)
    cells = [Cell(i, source, "code") for i, source in enumerate(kept, 1)]
    noise = [
        Cell(100 + i, source, "code")
        for i, source in enumerate(("Z = A", "def z(): return f(1)", "f(1)", "import os", "Z = 2"))
    ]
    mixed = list(cells)
    for cell in noise:
        mixed.insert(random.Random(seed + cell.number).randint(0, len(mixed)), cell)
    assert slice_for([name], [], mixed).pieces == slice_for([name], [], cells).pieces


@given(st.lists(st.text(max_size=60) | statement, max_size=6), st.lists(st.text(max_size=20) | statement, max_size=3))
@settings(max_examples=300, deadline=None)
def test_no_text_makes_slicing_raise(sources: list[str], provided: list[str]) -> None:
    cells = [Cell(i, source, "code") for i, source in enumerate(sources, 1)]
    extra = [Cell(i, source, "code") for i, source in enumerate(provided, 1)]
    for piece in slice_for(["f", "P", ""], extra, cells).pieces:
        compile(piece.source, piece.filename, "exec", dont_inherit=True)


def test_sources_made_to_exhaust_the_compiler_are_left_out() -> None:
    hostile = [
        "x = " + "(" * 5000 + ")" * 5000,
        "x = " + "-" * 100_000 + "1",
        "x" + ".a" * 100_000,
        "x = 1" + " + 1" * 50_000,
        "x = '\ud800'",
        "\0",
    ]
    sliced_notebook = slice_for(
        ["x", "f"], [], [Cell(i, s, "code") for i, s in enumerate([*hostile, "def f(): return 1"], 1)]
    )
    assert sliced_notebook.pieces[-1].source == "def f(): return 1"


def test_work_stays_bounded_on_a_notebook_made_to_be_slow(monkeypatch: Any) -> None:
    functions = [f"def f{i}(x): return f{i + 1}(x)" for i in range(300)]
    values = [f"v{i} = f0({f'v{i - 1}' if i else 0})" for i in range(300)]
    source = "\n".join([*functions, "def f300(x): return x", *values, "def want(): return v299"])
    book = read_units([Cell(1, source, "code")], False)
    monkeypatch.setattr("pskit.slicing.closure.WORK", 2000)
    closure = Closure(book.units)
    closure.want(["want"])
    assert len(closure._seen) <= 2000 + 2 * len(book.units)
    assert len(closure.order()) == len(book.units)
