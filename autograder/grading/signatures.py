"""Names in pieces of source, read without running them."""

import ast
from collections.abc import Iterable, Mapping
from functools import lru_cache

from pskit.slicing import top_level


def parameters_of(sources: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """The positional parameters of the functions that stand at the top of these sources, by function."""
    functions = [node for source in sources for node in top_level(source) if isinstance(node, ast.FunctionDef)]
    return {node.name: tuple(arg.arg for arg in [*node.args.posonlyargs, *node.args.args]) for node in functions}


def defined_in(sources: Iterable[str]) -> frozenset[str]:
    """Functions and classes that stand at the top of these sources."""
    return frozenset().union(*map(_defined_in_one, sources))


@lru_cache(maxsize=256)  # a release's cells, which every examination asks for
def _defined_in_one(source: str) -> frozenset[str]:
    return frozenset(node.name for node in top_level(source) if isinstance(node, ast.FunctionDef | ast.ClassDef))
