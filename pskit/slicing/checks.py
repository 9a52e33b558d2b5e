"""What the public checks of a question need: the grader and the submission cell run them on the same code."""

import ast
from collections.abc import Iterable, Sequence

from pskit.slicing.select import Slice, slice_for
from pskit.slicing.units import CellLike


def slice_for_checks(
    names: Iterable[str], checks: Sequence[CellLike], given: Iterable[CellLike], cells: Iterable[CellLike]
) -> Slice:
    """The question's answers `names` and every name that its `checks` mention, with all that these need."""
    mentioned = (name for check in checks for name in used_in(check.source))
    return slice_for([*names, *mentioned], given, cells)


def used_in(source: str) -> list[str]:
    """Every plain name that a source mentions, sorted."""
    nodes = [node for statement in top_level(source) for node in ast.walk(statement)]
    return sorted({node.id for node in nodes if isinstance(node, ast.Name)})


def top_level(source: str) -> list[ast.stmt]:
    """The statements of a source; none where it is no Python."""
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
