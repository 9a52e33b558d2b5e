"""The definitions of a reference notebook as one namespace: for tests, measurements and reference artifacts.

Only the course's own sources are executed here, never a student's.
"""

import ast
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from autograder.source.cells import read_cells
from autograder.source.model import Cell
from autograder.source.pages import page

Namespace = dict[str, Any]
WHOLE = ("given", "answer")  # roles whose cells define and run no experiment
SETUP = "setup"  # the id of the cell that installs pskit


def cells(folder: Path, file: str, roles: Collection[str]) -> Iterator[Cell]:
    """The cells of these roles in a source file of a set's folder, but the one that installs pskit."""
    return (cell for cell in read_cells(page(folder, file), file) if cell.role in roles and cell.id != SETUP)


def definitions(folder: Path, files: Iterable[str], experiments: bool = False) -> Namespace:
    """What these source files of a set's folder define, in order: given code and answers; no experiment is run.

    With `experiments` the functions and classes that the cells of experiments define are there too.
    """
    namespace: Namespace = {"__name__": "notebook"}
    for file in files:
        for cell in cells(folder, file, (*WHOLE, "run") if experiments else WHOLE):
            execute(cell.source, cell.id, namespace, only_definitions=cell.role not in WHOLE)
    return namespace


def execute(source: str, name: str, namespace: Namespace, only_definitions: bool = False) -> None:
    """Execute a cell's source, or only the functions and classes that it defines, those inside a `with` too."""
    tree = ast.parse(source)
    if only_definitions:
        inner = [line for node in tree.body if isinstance(node, ast.With) for line in node.body]
        tree.body = [node for node in (*tree.body, *inner) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    exec(compile(tree, name, "exec"), namespace)
