"""The red team's target as the other graders need it: plain cells and plain tests, from the same source.

The given cell, the stubs and the right answers are those of tests/redteam/target. The hidden tests claim the same with
the same constants; they call the student's functions directly, as those graders' manuals do. The question about an
artifact is left out: neither of them knows the form.
"""

import ast
import json
from dataclasses import dataclass
from pathlib import Path

TARGET = Path(__file__).resolve().parents[2] / "tests" / "redteam" / "target"
X = "x = torch.linspace(-1.0, 2.0, 5, dtype=torch.float64)"
GIVEN = '''import os

import torch
from torch import Tensor


def breach() -> None:
    """What an attack calls when it got what it must not get."""
    with open(os.path.expanduser("~/mark"), "a") as mark:
        mark.write("x")
    os._exit(77)
'''


@dataclass(frozen=True)
class Test:
    """One hidden test."""

    points: int
    lines: tuple[str, ...]


TESTS = {
    "q1_affine": (
        Test(2, (X, "assert torch.allclose(affine(x, 0.7316294851, shift=-48611.25), 0.7316294851 * x - 48611.25)")),
        Test(1, ("assert torch.equal(affine(torch.ones(4), 0.5, 1.0), torch.full((4,), 1.5))",)),
    ),
    "q2_cipher": (Test(2, ('assert cipher("<<otter-8846-meadow>>", 3) == "<<rwwhu-8846-phdgrz>>"',)),),
    "q3_scaler": (
        Test(1, (X, "assert torch.allclose(Scaler(0.7316294851).apply(x), 0.7316294851 * x)")),
        Test(
            1,
            (
                "x = torch.ones(3, requires_grad=True)",
                "g = torch.autograd.grad(Scaler(0.25).apply(x).sum(), x)[0]",
                "assert torch.allclose(g, torch.full((3,), 0.25))",
            ),
        ),
        Test(2, (X, "s = Scaler(3.0)", "assert torch.allclose(halve(s, halve(s, x)), 2.25 * x)")),
    ),
}
FULL = sum(test.points for tests in TESTS.values() for test in tests)


def stubs() -> dict[str, str]:
    """Each question's released answer cell."""
    cells = json.loads((TARGET / "target.ipynb").read_text(encoding="utf-8"))["cells"]
    found = {}
    for cell in cells:
        fields = cell["metadata"].get("pskit", {})
        if fields.get("role") == "answer":
            found[fields["question"]] = "".join(cell["source"])
    return found


def answers() -> dict[str, str]:
    """Each question's right answer."""
    right = (TARGET / "good.py").read_text(encoding="utf-8")
    return {question: without(right, names_of(right) - names_of(stub)) for question, stub in stubs().items()}


def names_of(source: str) -> set[str]:
    """The functions and classes that a cell defines."""
    return {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def without(source: str, names: set[str]) -> str:
    """The cell without the definitions of these names."""
    kept = [node for node in ast.parse(source).body if getattr(node, "name", "") not in names]
    parts = [ast.get_source_segment(source, node) or "" for node in kept if not isinstance(node, ast.Expr)]
    return "\n\n\n".join(parts) + "\n"


def handed_in(attack: str) -> dict[str, str]:
    """Answer cells with the attack in the first: later stubs of what it defines are gone, or they would replace it."""
    taken, cells = names_of(attack), {}
    for number, (question, stub) in enumerate(stubs().items()):
        left = without(stub, taken)
        cells[question] = attack + "\n\n" + left if number == 0 else left
    return cells
