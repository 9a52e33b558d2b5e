"""The source of probes and provided functions, made ready to run in the worker, where nothing of the test exists."""

import ast
import builtins
import inspect
import symtable
import textwrap
from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Any

# What a probe may use without importing it: the worker has these. Anything else of the test's module stays behind.
AT_HAND = ("torch", "numpy", "math", "itertools", "functools", "collections")


class HiddenTestError(Exception):
    """A mistake in a hidden test; its text is a sentence for the test's author."""


@lru_cache(maxsize=1024)
def portable_source(function: Callable[..., Any]) -> tuple[str, str]:
    """The function's own source, dedented, without decorators and annotations, and its name.

    Imports of the test's module that it uses (torch, numpy and a few of the standard library) go with it. Raises
    HiddenTestError if it would not run on its own: a lambda, a closure, or a use of other names of the test's module.
    """
    tree = _definition(function)
    _strip(tree)
    imports: list[str] = []
    missing: list[str] = []
    for name in _names_from_outside(ast.unparse(tree)):
        statement = _import_of(name, function.__globals__.get(name))
        (imports if statement else missing).append(statement or name)
    if missing:
        raise HiddenTestError(
            f"{tree.name} uses {', '.join(missing)} from outside itself, but only its own source is sent to the "
            "student's process: define or import it inside the function, or pass it as an argument."
        )
    tree.body[:0] = ast.parse("\n".join(imports)).body
    return ast.unparse(tree), tree.name


def probe_in_words(source: str) -> tuple[str, list[str]]:
    """What a probe asks of the student's code, "lines that use f and g", and its parameters behind the first, `ns`."""
    probe = ast.parse(source).body[0]
    assert isinstance(probe, ast.FunctionDef)
    ns, *parameters = [each.arg for each in probe.args.args]
    used = [
        node.attr
        for node in ast.walk(probe)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == ns
    ]
    return f"lines that use {' and '.join(dict.fromkeys(used)) or 'your code'}", parameters


def _import_of(name: str, value: object) -> str | None:
    if isinstance(value, ModuleType) and value.__name__.partition(".")[0] in AT_HAND:
        return f"import {value.__name__} as {name}" if name != value.__name__ else f"import {name}"
    return None


def _definition(function: Callable[..., Any]) -> ast.FunctionDef:
    if not inspect.isfunction(function):
        raise HiddenTestError(f"a probe or a provided function must be a function, not {type(function).__name__}.")
    try:
        source = textwrap.dedent(inspect.getsource(function))
        body = ast.parse(source).body
    except (OSError, SyntaxError) as error:
        raise HiddenTestError(f"the source of {function.__name__} cannot be read: {error}.") from error
    if len(body) != 1 or not isinstance(body[0], ast.FunctionDef) or body[0].name != function.__name__:
        raise HiddenTestError(f"{function.__name__} must be written as a `def` of its own, not as a lambda.")
    return body[0]


def _strip(tree: ast.FunctionDef) -> None:
    """Drop what is evaluated where the function is defined, and would need the test's imports there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    tree.decorator_list = []


def _names_from_outside(source: str) -> list[str]:
    """Global names that the function uses: neither its own nor builtins."""
    found: set[str] = set()
    tables = [symtable.symtable(source, "<probe>", "exec")]
    own = {symbol.get_name() for symbol in tables[0].get_symbols() if symbol.is_assigned()}
    while tables:
        table = tables.pop()
        tables.extend(table.get_children())
        found |= {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    return sorted(name for name in found - own if not hasattr(builtins, name))
