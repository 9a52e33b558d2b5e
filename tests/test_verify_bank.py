"""Variants read from their file, each as the cell that is added to the reference."""

from pathlib import Path
from typing import Any

import pytest
import torch

from autograder.verify.bank import BadVariant, Variant, artifact_makers, read_variants

HEAD = "from autograder.verify.variants import right, wrong, wrong_artifact\n"


def variants(tmp_path: Path, text: str, names: tuple[str, ...] = ("f",)) -> tuple[Variant, ...]:
    file = tmp_path / "q1_line.py"
    file.write_text(HEAD + text, encoding="utf-8")
    return read_variants(file, names, names)


def run(cell: str, **notebook: Any) -> dict[str, Any]:
    exec(cell, notebook)
    return notebook


def test_a_variant_takes_the_graded_name_and_brings_its_helpers(tmp_path: Path) -> None:
    text = (
        "import math\nimport os\ndef half(x): return x / 2\n@wrong('f')\ndef too_small(x): return half(math.floor(x))\n"
    )
    (variant,) = variants(tmp_path, text)
    assert (variant.name, variant.mark.target, variant.mark.verdict) == ("too_small", "f", "wrong")
    assert run(variant.cell)["f"](5.5) == 2.5
    assert "os" not in variant.cell
    assert "autograder" not in variant.cell


def test_the_graded_name_inside_a_variant_is_the_reference(tmp_path: Path) -> None:
    (variant,) = variants(tmp_path, "@wrong('f')\ndef off_by_one(x): return f(x) + 1\n")
    assert run(variant.cell, f=lambda x: 10 * x)["f"](2) == 21


def test_a_variant_may_call_itself(tmp_path: Path) -> None:
    (variant,) = variants(tmp_path, "@right('f')\ndef recursive(n): return 1 if n < 1 else n * recursive(n - 1)\n")
    assert run(variant.cell)["f"](4) == 24


def test_a_class_may_change_one_method_of_the_reference(tmp_path: Path) -> None:
    class Net:
        def a(self) -> int:
            return 1

        def b(self) -> int:
            return self.a() + 1

    (variant,) = variants(tmp_path, "@wrong('Net')\nclass forgets(Net):\n    def a(self): return 5\n", ("Net",))
    made = run(variant.cell, Net=Net)["Net"]
    assert made().b() == 6
    assert made.__name__ == "Net"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("@wrong('g')\ndef h(x): pass\n", "variants/q1_line.py:3: h stands in for g; the question asks for f."),
        ("@wrong('f')\ndef h(x): pass\n@right('f')\ndef h(x): pass\n", "h is the name of the variant in line 3, too."),
        ("@wrong('f')\n@right('f')\ndef h(x): pass\n", "h has 2 marks; one is allowed."),
        ("def h(x) pass\n", "is not valid Python: expected ':'."),
    ],
)
def test_a_variant_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(BadVariant, match=r"variants/q1_line\.py:") as refusal:
        variants(tmp_path, text)
    assert sentence in str(refusal.value)


def test_a_helper_may_not_replace_another_answer(tmp_path: Path) -> None:
    with pytest.raises(BadVariant, match="h needs the helper g, a name that the set asks for"):
        variants(tmp_path, "def g(x): pass\n@wrong('f')\ndef h(x): return g(x)\n", ("f", "g"))


def test_an_artifact_is_made_by_its_function(tmp_path: Path) -> None:
    text = "@wrong_artifact('a.safetensors')\ndef untrained(reference): return {'w': 0 * reference['w']}\n"
    (variant,) = variants(tmp_path, text)
    assert variant.mark.kind == "artifact"
    made = artifact_makers(tmp_path / "q1_line.py")["untrained"]({"w": torch.ones(2)})
    assert torch.equal(made["w"], torch.zeros(2))
