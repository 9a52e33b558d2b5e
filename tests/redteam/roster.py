"""The attacks as data. An attack is a function in attacks/, read and never imported here.

Its docstring is the claim that it tests, its body becomes the one cell of a hostile notebook, and its parameters'
defaults are options: `seconds`, the time limit that it is graded with, and `artifact`, the bytes of the weights file.
`breach()`, which the release gives, is how an attack says that it got what it must not get.
"""

import ast
import json
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ATTACKS = Path(__file__).parent / "attacks"
SECONDS = 60.0
QUESTIONS = {"affine": "q1_affine", "cipher": "q2_cipher", "Scaler": "q3_scaler", "halve": "q3_scaler"}


@dataclass(frozen=True)
class Attack:
    """One hostile notebook. `threat` is the file's name, `artifact` None for the untrained weights of the release."""

    threat: str
    name: str
    claim: str
    source: str
    seconds: float = SECONDS
    artifact: bytes | None = None

    @property
    def questions(self) -> list[str]:
        """The questions that it answers; the others would only say that nothing is defined."""
        found = {question for name, question in QUESTIONS.items() if re.search(rf"\b(def|class) {name}\b", self.source)}
        return sorted(found | ({"q4_weights"} if self.threat == "artifacts" else set()))

    def write(self, folder: Path, artifact: bytes) -> Path:
        """The submission, with these weights where the attack brings none."""
        folder.mkdir()
        (folder / "notebook.ipynb").write_text(json.dumps(notebook(self.source)), encoding="utf-8")
        (folder / "target.safetensors").write_bytes(artifact if self.artifact is None else self.artifact)
        return folder


def notebook(*sources: str) -> dict[str, Any]:
    """A notebook of these code cells."""
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in sources]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def roster() -> list[Attack]:
    """Every attack, by threat, in the order of the files."""
    return [_attack(path, node) for path in sorted(ATTACKS.glob("*.py")) for node in _functions(path)]


def _functions(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]


def _attack(path: Path, node: ast.FunctionDef) -> Attack:
    claim, lines = ast.get_docstring(node), path.read_text(encoding="utf-8").splitlines()
    assert claim, f"{path.name}: {node.name} states no claim"
    body = lines[node.body[0].end_lineno or 0 : node.end_lineno]
    names = [argument.arg for argument in node.args.args]
    options = dict(zip(names, map(ast.literal_eval, node.args.defaults), strict=True))
    return Attack(path.stem, node.name, claim, textwrap.dedent("\n".join(body)).strip() + "\n", **options)
