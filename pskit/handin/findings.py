"""What is worth a look in a file that is about to be handed in: a sentence for each thing."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pskit.handin.pack import Packed, wanted_files
from pskit.notebook import BadRelease, artifact_problems, release_of
from pskit.notebook.limits import MIB

GRADESCOPE = 100 * MIB
EMPTY_ANSWERS = ("", "*Your answer here.*")
STUB = 'raise NotImplementedError("Question '


def findings(packed: Packed) -> Iterator[str]:
    """Sentences about stubs, empty written answers, trained models, changed cells of the course, and the size."""
    cells = _cells(packed.notebook)
    yield from _stubs(cells)
    yield from _written(packed.notebook, cells)
    yield from _artifacts(packed)
    yield from _changed(cells)
    size = packed.path.stat().st_size
    if size > GRADESCOPE:
        yield f"{packed.path} has {size // MIB} MB; Gradescope takes {GRADESCOPE // MIB} MB."


def _stubs(cells: list[Mapping[str, Any]]) -> Iterator[str]:
    """One sentence for all answers that are not there."""
    parts = [_ours(cell).get("part", "") for cell in cells if cell.get("cell_type") == "code" and STUB in _text(cell)]
    if waiting := ", ".join(dict.fromkeys(part for part in parts if part)):
        yield f"Not implemented yet: {waiting}."


def _written(notebook: bytes, cells: list[Mapping[str, Any]]) -> Iterator[str]:
    try:
        release = release_of(Path("this notebook"), notebook)
    except BadRelease:
        return
    answers: dict[str, list[str]] = {}
    for cell in cells:
        if _ours(cell).get("role") == "written":
            answers.setdefault(str(_ours(cell).get("part")), []).append(_text(cell).strip())
    for part in (part for question in release.questions for part in question.parts if part.kind == "written"):
        if part.part not in answers:
            yield f"The cell for the written answer {part.part} ({part.points:g} points) is gone. Did you move it?"
        elif all(text in EMPTY_ANSWERS for text in answers[part.part]):
            yield f"The written answer {part.part} ({part.points:g} points) is empty."


def _artifacts(packed: Packed) -> Iterator[str]:
    for file in wanted_files(packed.notebook):
        if file not in packed.artifacts:
            yield f"{file} is missing: run the cell that saves it, then this one again."
    for file, data in packed.artifacts.items():
        yield from artifact_problems(file, data)


def _changed(cells: list[Mapping[str, Any]]) -> Iterator[str]:
    """Cells of the course that are not as they were released; the grader uses the original."""
    for cell in cells:
        mark = cell.get("metadata", {}).get("nbgrader", {})
        if _ours(cell).get("role") in ("given", "check") and mark.get("checksum") not in (None, _checksum(cell, mark)):
            first = next((line for line in _text(cell).split("\n") if line.strip()), "")
            yield f'The cell that begins with "{first[:60]}" was changed. The grader uses it as it was released.'


def _checksum(cell: Mapping[str, Any], mark: Mapping[str, Any]) -> str:
    """nbgrader's checksum of a cell without points, as the release wrote it."""
    flags = (str(bool(mark.get(flag))) for flag in ("grade", "solution", "locked"))
    text = "".join([_text(cell), cell["cell_type"], *flags, str(mark["grade_id"])])
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _cells(notebook: bytes) -> list[Mapping[str, Any]]:
    try:
        cells = json.loads(notebook)["cells"]
    except (ValueError, KeyError, TypeError):
        return []
    if not isinstance(cells, list):
        return []
    return [cell for cell in cells if isinstance(cell, dict) and isinstance(cell.get("metadata"), dict)]


def _ours(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    ours = cell["metadata"].get("pskit")
    return ours if isinstance(ours, dict) else {}


def _text(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)
