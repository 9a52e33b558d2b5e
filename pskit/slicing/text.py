"""Statements as text: cut out of a cell, and with the parts that grading never runs replaced, line by line."""

import ast

COLAB = "google.colab"


def statement_text(lines: list[bytes], statement: ast.stmt) -> tuple[int, str]:
    """First line (decorators count) and text of a top-level statement, given its cell's lines in UTF-8."""
    decorators = getattr(statement, "decorator_list", [])
    if decorators:
        first, column = decorators[0].lineno, 0
    else:
        first, column = statement.lineno, statement.col_offset
    last, end = statement.end_lineno or first, statement.end_col_offset
    cut = lines[first - 1 : last]
    cut[-1] = cut[-1][:end]
    cut[0] = cut[0][column:]
    return first, b"\n".join(cut).decode()


def is_colab_import(node: ast.AST) -> bool:
    """`import google.colab...` or `from google.colab import ...`: there is no Colab where grading runs."""
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").startswith(COLAB) or (node.module == "google" and node.names[0].name == "colab")
    return isinstance(node, ast.Import) and any(alias.name.startswith(COLAB) for alias in node.names)


def without_runs(text: str) -> str:
    """A compound statement with what grading never runs inside it (loops, calls, asserts, Colab) as `pass`.

    A Colab import becomes `raise ImportError`, so that `try: import google.colab; except ImportError:` decides rightly.
    """
    lines = text.encode().split(b"\n")
    nodes = _runs(ast.parse(text).body)
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        _replace(lines, node, b"raise ImportError" if is_colab_import(node) else b"pass")
    return b"\n".join(lines).decode()


def _is_run(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Expr, ast.For, ast.AsyncFor, ast.While, ast.Assert))


def _runs(body: list[ast.stmt]) -> list[ast.stmt]:
    """What is not run in blocks of if, try and with, the outermost only; functions and classes are left alone."""
    found: list[ast.stmt] = []
    for node in body:
        if is_colab_import(node) or _is_run(node):
            found.append(node)
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            found += _runs(blocks(node))
    return found


def blocks(node: ast.If | ast.Try | ast.With) -> list[ast.stmt]:
    """The statements directly inside a compound statement, all branches."""
    inner = [*node.body, *getattr(node, "orelse", []), *getattr(node, "finalbody", [])]
    return inner + [statement for handler in getattr(node, "handlers", []) for statement in handler.body]


def _replace(lines: list[bytes], node: ast.stmt, by: bytes) -> None:
    """Put `by` where a statement stands and leave its other lines empty, so that no later line moves."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    rest = lines[last][node.end_col_offset :]
    lines[first] = lines[first][: node.col_offset] + by + rest
    lines[first + 1 : last + 1] = [b""] * (last - first)
