"""From the reference to the student notebook, with nbgrader's own preprocessors.

Afterwards every line of every cell must be one that the source leaves public, or a stub.
"""

import ast
import logging
from collections.abc import Iterator
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
    NbGraderPreprocessor,
)

from autograder.release.errors import ReleaseError
from autograder.source import Cell, SourceError, SourceSet

STUB = 'raise NotImplementedError("Question {part}: {name}")'
SLOT = "raise NotImplementedError()"  # what nbgrader writes for each region, before it gets its name
WRITTEN_STUB = "*Your answer here.*"


def clear(notebook: NotebookNode, source: SourceSet) -> NotebookNode:
    """The student notebook, made from the reference in place; ReleaseError or SourceError where clearing fails."""
    resources: dict[str, Any] = {}
    before = [node.source.split("\n") for node in notebook.cells]
    for step in _steps(before_stubs=True):
        notebook, resources = step.preprocess(notebook, resources)
    for (file, cell), node, lines in zip(source.files_and_cells(), notebook.cells, before, strict=True):
        if cell.role == "answer":
            node.source = _named(node.source, cell)
            _still_python(file, cell, node.source)
            _only_public_lines(cell, lines, node.source)
        elif cell.role == "written":
            node.source = node.source.strip()
            if node.source != WRITTEN_STUB:
                raise SourceError(file, cell.line, "the written cell is not empty once its regions are cleared.")
    for step in _steps(before_stubs=False):
        notebook, resources = step.preprocess(notebook, resources)
    return notebook


def _steps(before_stubs: bool) -> Iterator[NbGraderPreprocessor]:
    quiet = {"log": logging.getLogger("autograder.release.nbgrader")}
    if before_stubs:
        yield LockCells(**quiet)
        yield ClearSolutions(code_stub={"python": SLOT}, text_stub=WRITTEN_STUB, **quiet)
        yield ClearMarkScheme(
            enforce_metadata=False, **quiet
        )  # ours stand in written cells, which are no nbgrader tasks
        yield ClearHiddenTests(**quiet)
        yield ClearOutput(**quiet)
    else:
        yield ComputeChecksums(**quiet)
        yield CheckCellMetadata(**quiet)


def stubs(cell: Cell) -> list[str]:
    """The stub of each region of an answer cell, in order."""
    return [STUB.format(part=cell.part, name=region.name) for region in cell.regions]


def _named(text: str, cell: Cell) -> str:
    """Each slot becomes the stub that names its question and definition."""
    pieces = text.split(SLOT)
    if len(pieces) != len(cell.regions) + 1:
        raise ReleaseError(f"{cell.id}: nbgrader cleared {len(pieces) - 1} of {len(cell.regions)} regions.")
    return pieces[0] + "".join(stub + piece for stub, piece in zip(stubs(cell), pieces[1:], strict=True))


def _still_python(file: Any, cell: Cell, text: str) -> None:
    """What reaches the student must be Python whose stubs raise only when called."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        message = (
            f"the cell is not Python once its solution is cleared ({error.msg}, line {error.lineno} of the release)."
        )
        raise SourceError(file, cell.line, f"{message} Is a marker indented like the solution?") from None
    inside = {
        stub
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for stub in ast.walk(node)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Raise)
            and f"{ast.unparse(node)}".replace("'", '"') in stubs(cell)
            and node not in inside
        ):
            raise SourceError(file, cell.regions[0].first_line, "the marker is indented less than the function's body.")


def _only_public_lines(cell: Cell, lines: list[str], text: str) -> None:
    """`lines` are the reference's, in which placeholders are replaced; the source says which of them are public."""
    allowed = {lines[number - cell.first_line].strip() for number, _ in cell.public_lines()} | set(stubs(cell))
    for line in text.split("\n"):
        if line.strip() not in allowed:
            raise ReleaseError(f"{cell.id}: the line {line.strip()!r} of the release is neither public nor a stub.")
