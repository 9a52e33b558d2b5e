"""What a slice holds and what it never holds, on notebooks of a few lines."""

from typing import Any

import pytest

from pskit.notebook import Cell
from pskit.slicing import Piece, Slice, slice_for


def cells(*sources: str) -> list[Cell]:
    return [Cell(number, source, "code") for number, source in enumerate(sources, 1)]


def cut(wanted: str, *sources: str, given: tuple[str, ...] = ()) -> Slice:
    return slice_for(wanted.split(), cells(*given), cells(*sources))


def run(sliced: Slice) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "student"}
    for piece in sliced.pieces:
        exec(compile("\n" * (piece.first_line - 1) + piece.source, piece.filename, "exec"), namespace)
    return namespace


def text(sliced: Slice) -> str:
    return "\n".join(piece.source for piece in sliced.pieces)


def test_training_plots_and_mounts_are_never_in_a_slice() -> None:
    sliced = cut(
        "f",
        "from google.colab import drive; import math; drive.mount('/content')",
        "TABLE = [1, 2]\nTABLE.sort()\nassert TABLE",
        "def f(x):\n    return math.floor(x) + TABLE[0]",
        "for step in range(10**12):\n    f(step)\nwhile True:\n    pass\nplt.plot(TABLE)\nwith check('1a'):\n    f(1)",
    )
    assert text(sliced) == "import math\nTABLE = [1, 2]\ndef f(x):\n    return math.floor(x) + TABLE[0]"


def test_pieces_say_where_they_stand_decorators_included() -> None:
    sliced = cut("f", "x = 1", "y = 2\n\n@cache\ndef f():\n    return 1\n", given=("from functools import cache",))
    assert sliced.pieces == (
        Piece("given cell 1", 1, "from functools import cache"),
        Piece("cell 2", 3, "@cache\ndef f():\n    return 1"),
    )


def test_the_last_definition_wins_in_function_bodies() -> None:
    assert run(cut("f", "def g(): return 1", "def f(): return g()", "def g(): return 2"))["f"]() == 2


def test_a_value_made_in_the_middle_uses_the_functions_of_that_moment() -> None:
    sliced = cut(
        "f", "def g(): return h()\ndef h(): return 1", "TABLE = g()", "def h(): return 2", "def f(): return TABLE, g()"
    )
    assert run(sliced)["f"]() == (1, 2)


@pytest.mark.parametrize(
    "binding",
    [
        "K = 3",
        "K: int = 3",
        "K = 1\nK += 2",
        "J, (K, *_) = 1, (3, 4)",
        "print(K := 3)\nK = K",
        "rows = [K := 3 for _ in range(2)]",
        "from math import pi as K\nK = 3",
        "if True:\n    K = 3\nelse:\n    K = 4",
        "try:\n    import no_such_module_at_all as K\nexcept ImportError:\n    K = 3",
        "from contextlib import suppress\nwith suppress(ZeroDivisionError):\n    K = 3\n    K = 1 / 0",
        "class Box:\n    pass\nBox.K = 3\nK = Box.K",
        "table = {}\ntable['k'] = 3\nK = table['k']",
        "K = 1\nif K > 5:\n    K = 7\nelse:\n    K = 3",
        "def make():\n    return 3\nK = make()",
        "K = (lambda: Q)() if False else 3",
        "x = 0; K = 3",
        "K = '''\n''' and 3",
        "é = 3; K = é",
        "del_me = 3\nK = del_me\ndel del_me, K\nK = 3",
    ],
)
def test_every_way_to_bind_a_constant_is_found(binding: str) -> None:
    if binding.startswith("print"):  # a walrus in a call on its own line is never run
        sliced = cut("f", binding, "def f(): return K")
        assert any("needs K" in note for note in sliced.notes)
        return
    assert run(cut("f", binding, "def f(): return K"))["f"]() == 3


def test_changes_of_a_needed_name_come_along_and_others_do_not() -> None:
    sliced = cut(
        "Model",
        "class Model:\n    pass\nclass Other:\n    pass",
        "def encode(self): return RATE['a']\nModel.encode = encode\nOther.encode = encode",
        "RATE = {}\nRATE['a'] = 5\nRATE['b'] = 6\nUNUSED = {}\nUNUSED['a'] = 1",
    )
    assert run(sliced)["Model"]().encode() == 5
    assert "Other" not in text(sliced)
    assert "UNUSED" not in text(sliced)


def test_a_value_that_is_held_elsewhere_sees_its_later_changes() -> None:
    sliced = cut("f", "TABLE = {}", "get = TABLE.get", "TABLE['a'] = 5", "TABLE = {'a': 6}", "def f(): return get('a')")
    assert run(sliced)["f"]() == 5


def test_what_a_value_calls_later_is_found_at_the_notebooks_end() -> None:
    sliced = cut("act", "def g(): return 1\nclass P:\n    def m(self): return g()", "act = P().m", "def g(): return 2")
    assert run(sliced)["act"]() == 2


def test_a_class_built_on_its_former_self_keeps_every_step() -> None:
    sliced = cut("A", "class A:\n    x = 1", "class A(A):\n    y = 2", "class A(A):\n    z = 3")
    assert (run(sliced)["A"].x, run(sliced)["A"].y, run(sliced)["A"].z) == (1, 2, 3)


@pytest.mark.parametrize(
    "body",
    [
        "helper = 1\n    return helper",
        "return [helper for helper in range(2)][1]",
        "return (lambda helper: helper)(1)",
        "for helper in (0, 1):\n        pass\n    return helper",
        "def inner(helper):\n        return helper\n    return inner(1)",
        "import math as helper\n    return 1",
        "try:\n        1 / 0\n    except ZeroDivisionError as helper:\n        return 1",
    ],
)
def test_local_names_are_not_needs(body: str) -> None:
    sliced = cut("f", "helper = slow()", f"def f():\n    {body}")
    assert "slow" not in text(sliced)
    assert run(sliced)["f"]() == 1


def test_methods_nested_functions_and_comprehensions_need_globals() -> None:
    sliced = cut(
        "C",
        "A = 1\nB = 2\nD = [1]",
        "class C:\n    base = A\n    def m(self):\n        def n(): return [d + B for d in D]\n        return n()",
    )
    assert run(sliced)["C"]().m() == [3]
    assert run(sliced)["C"].base == 1


def test_a_global_statement_counts_as_a_need() -> None:
    sliced = cut("count", "calls = 0", "def count():\n    global calls\n    calls += 1\n    return calls")
    assert run(sliced)["count"]() == 1


def test_cells_in_another_order_than_they_ran_still_work() -> None:
    sliced = cut(
        "f",
        "@twice\ndef f(x=START): return x",
        "START = base() + 1",
        "def base(): return K",
        "K = 1\ndef twice(g): return lambda: 2 * g()",
    )
    assert run(sliced)["f"]() == 4


def test_given_names_come_from_the_release_and_a_change_is_noted() -> None:
    sliced = cut(
        "f",
        "import torch\nK = 3\ndef g(): return 3",
        "K = 4",
        "def f(): return K, g()",
        given=("K = 3", "def g():\n    return 3"),
    )
    assert run(sliced)["f"]() == (3, 3)
    assert sliced.notes == ("cell 2, line 1 changes K, which the notebook provides; the provided one is used.",)
    assert "torch" not in text(sliced)


def test_given_runs_are_never_there() -> None:
    sliced = cut("f", "def f(): return math.pi", given=("import math, os\nmath.floor('boom')\nHEAVY = os.abort()",))
    assert text(sliced) == "import math, os\ndef f(): return math.pi"


def test_all_given_imports_of_a_used_name_are_there_and_no_others() -> None:
    given = ("import scipy.stats\nimport scipy.special\nimport matplotlib.pyplot as plt",)
    sliced = cut("f", "def f(): return scipy.stats", "def draw(): plt.plot()", given=given)
    assert text(sliced) == "import scipy.stats\nimport scipy.special\ndef f(): return scipy.stats"


def test_given_code_may_build_on_the_students_classes() -> None:
    sliced = cut("Deep", "class Base:\n    width = WIDTH", "WIDTH = 7", given=("class Deep(Base):\n    pass",))
    assert run(sliced)["Deep"].width == 7


def test_a_student_cannot_reach_into_given_names() -> None:
    sliced = cut("f", "RATES['a'] = 0\nRATES = {}", "def f(): return RATES['a']", given=("RATES = {'a': 1}",))
    assert run(sliced)["f"]() == 1


def test_star_imports_are_always_there_since_they_may_bind_anything() -> None:
    sliced = cut("f", "from math import *", "def f(): return floor(2.5)")
    assert run(sliced)["f"]() == 2
    assert not sliced.notes


def test_colab_is_absent_and_code_that_asks_for_it_finds_out() -> None:
    sliced = cut(
        "f",
        "try:\n    import google.colab\n    COLAB = True\nexcept ImportError:\n    print('no')\n    COLAB = False",
        "def f(): return COLAB",
    )
    assert run(sliced)["f"]() is False
    assert "print" not in text(sliced)
    mixed = cut("f", "import math, google.colab as colab", "def f(): return math.pi")
    assert text(mixed).startswith("import math\n")


def test_blocks_keep_their_lines_when_runs_inside_them_go() -> None:
    loop = "    for i in range(3):\n        train(\n            i)\n"
    source = f"if True:\n{loop}    A = 1; train(\n      2); B = 2\n    def f():\n        return A + B"
    sliced = cut("f", source)
    assert run(sliced)["f"].__code__.co_firstlineno == 7
    assert run(sliced)["f"]() == 3
    assert "train" not in text(sliced)


def test_future_annotations_hold_for_the_definitions_of_their_cell() -> None:
    sliced = cut("f", "from __future__ import annotations\n\ndef f(x: Undefined = 1) -> Undefined: return x")
    assert run(sliced)["f"]() == 1
    assert run(sliced)["f"].__code__.co_firstlineno == 3


@pytest.mark.parametrize(
    ("sources", "note"),
    [
        (
            ("for i in range(3):\n    K = i", "def f(): return K"),
            "cell 2, line 1 needs K, but only cell 1, line 1 binds it, in a block that is not run when grading.",
        ),
        (("with open('x') as file:\n    K = 1", "def f(): return K"), "only cell 1, line 1 binds it"),
        (("def f(): return K",), "cell 1, line 1 needs K, but no cell defines it."),
        (
            ("from google.colab import files as K", "def f(): return K"),
            "which comes from google.colab; there is no Colab when grading.",
        ),
        (
            ("def f(): return 1", "def f(): return 2"),
            "f is defined 2 times (cell 1, line 1; cell 2, line 1); the last one counts.",
        ),
        (
            ("def f(): return 1", 'def f(): raise NotImplementedError("Question 1a: f")'),
            "the last one counts. It is still the stub.",
        ),
        (("x = await g()\ndef f(): return x",), "cell 1, line 1 was left out: 'await' outside function."),
        (("def g(:", "def f(): return 1"), "cell 1 was left out: it is not valid Python"),
    ],
)
def test_what_was_odd_is_said(sources: tuple[str, ...], note: str) -> None:
    assert any(note in said for said in cut("f", *sources).notes)


def test_builtins_and_what_a_notebook_provides_are_not_missed() -> None:
    assert cut("f", "def f(): return len(display) + get_ipython() + __name__ + sum(_)").notes == ()


def test_a_wanted_name_that_nothing_defines_is_missing() -> None:
    sliced = cut("f g h", "def f(): return g()", "for i in []:\n    def g(): pass")
    assert sliced.missing == ("g", "h")


def test_text_cells_are_no_code() -> None:
    assert slice_for(["f"], [], [Cell(1, "def f(): return 1", "markdown")]).missing == ("f",)
