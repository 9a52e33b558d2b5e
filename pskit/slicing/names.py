"""Which notebook names a statement uses, when, and which it binds: Python's own scope rules, by `symtable`."""

import ast
import symtable
from dataclasses import dataclass
from typing import TypeAlias

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Names:
    """Global names of one statement.

    eager: looked up when the statement runs (right-hand sides, decorators, defaults, bases, annotations, class bodies).
    lazy: looked up when a function that it holds is called.
    binds: bound when it runs. sets_later: bound by a `global` statement when a function that it holds is called.
    """

    eager: frozenset[str]
    lazy: frozenset[str]
    binds: frozenset[str]
    sets_later: frozenset[str]


def names_of(source: str) -> Names:
    """Names of one top-level statement. Raises what `compile` raises."""
    top = symtable.symtable(source, "cell", "exec")
    eager = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    binds = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    uses: dict[str, set[str]] = {"eager": eager, "lazy": set(), "binds": binds, "sets_later": set()}
    for child in top.get_children():
        _collect(child, "eager", uses)
    return Names(**{kind: frozenset(names) for kind, names in uses.items()})


def _collect(table: symtable.SymbolTable, when: str, uses: dict[str, set[str]]) -> None:
    """Add the global names that a scope inside the statement uses; scopes inside it follow."""
    pending = [(table, when)]
    while pending:
        table, when = pending.pop()
        if table.get_type() == "function" and ".0" not in table.get_identifiers():  # .0 is a comprehension's iterable
            when = "lazy"
        for symbol in table.get_symbols():
            if _is_global_use(symbol, table):
                uses[when].add(symbol.get_name())
            elif symbol.is_declared_global() and symbol.is_assigned():
                # a comprehension's walrus and a class body's `global` bind at once
                uses["sets_later" if when == "lazy" else "binds"].add(symbol.get_name())
        pending += [(child, when) for child in table.get_children()]


def _is_global_use(symbol: symtable.Symbol, table: symtable.SymbolTable) -> bool:
    """A name that is looked up among the notebook's names. A class body falls back to them even for its own names."""
    return symbol.is_referenced() and (symbol.is_global() or (table.get_type() == "class" and symbol.is_local()))


def names_changed_in_place(statement: ast.stmt) -> set[str]:
    """Names whose value the statement changes when it runs: `N.attr = f`, `N["k"] = v`, `del N[0]`."""
    nodes = [node for node in _run_now(statement) if isinstance(node, (ast.Attribute, ast.Subscript))]
    return {_root(node) for node in nodes if not isinstance(node.ctx, ast.Load)} - {""}


def names_added_to(statement: ast.stmt) -> set[str]:
    """Names that the statement computes anew from their own value when it runs: `N += 1`."""
    nodes = [node.target for node in _run_now(statement) if isinstance(node, ast.AugAssign)]
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def _run_now(statement: ast.stmt) -> list[ast.AST]:
    """The nodes of a statement outside function, class and lambda bodies."""
    found: list[ast.AST] = []
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            found.append(node)
            pending += ast.iter_child_nodes(node)
    return found


def _root(node: ast.expr) -> str:
    """The name at the left end of `name.attribute[key]`, or ""."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
