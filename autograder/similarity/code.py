"""Code without its surface: layout, comments, docstrings, annotations and local names are gone, structure stays."""

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pskit.notebook import Cell, Release, Submission
from pskit.slicing import slice_for

GRAM = 6  # tokens; shorter pieces stand in any two answers to one question
LOCAL = "_"
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_SKIPPED = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT, tokenize.ENDMARKER}


@dataclass(frozen=True)
class Code:
    """The graded definitions of one submission: `lines` in one layout for people, `plain` the same lines without names,
    `raw` as they were written.
    """

    name: str
    lines: tuple[str, ...]
    plain: tuple[str, ...]
    raw: tuple[str, ...]
    grams: tuple[str, ...]


def code_of(name: str, release: Release, submission: Submission) -> Code:
    """The functions and classes that the set asks for, with the helpers that they need, in the order of their names."""
    found: dict[str, tuple[Definition, str]] = {}
    for source in (piece.source for piece in slice_for(release.names, release.given, submission.cells).pieces):
        for node in _definitions(source):
            found[node.name] = (node, ast.get_source_segment(source, node) or "")
    given = {ast.dump(node) for cell in release.given for node in _definitions(cell.source)}
    chosen = [found[each] for each in sorted(found) if ast.dump(found[each][0]) not in given]
    lines, plain, raw, found_grams = list[str](), list[str](), list[str](), list[str]()
    for definition, text in chosen:
        bare = _bare(definition)
        lines += ast.unparse(bare).splitlines()
        nameless = ast.unparse(_nameless(bare))
        plain += nameless.splitlines()
        found_grams += grams(nameless)  # of each definition by itself: which one comes next says nothing
        raw += [line.rstrip() for line in text.splitlines()]
    return Code(name, tuple(lines), tuple(plain), tuple(raw), tuple(found_grams))


def released_grams(cells: Iterable[Cell]) -> frozenset[str]:
    """What the release itself gives: stubs, signatures, given code."""
    nodes = [node for cell in cells for node in _definitions(cell.source)]
    return frozenset(gram for node in nodes for gram in grams(ast.unparse(_nameless(_bare(node)))))


def grams(source: str) -> Iterator[str]:
    """Every GRAM tokens in a row."""
    tokens = list(_tokens(source))
    for start in range(len(tokens) - GRAM + 1):
        yield " ".join(tokens[start : start + GRAM])


def _tokens(source: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _SKIPPED:
            yield token.string


def _definitions(source: str) -> list[Definition]:
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [node for node in body if isinstance(node, Definition)]


def _bare(tree: ast.AST) -> ast.AST:
    """A copy without docstrings and annotations."""
    copy = ast.parse(ast.unparse(tree))
    for node in ast.walk(copy):
        if isinstance(node, Definition):
            node.body = _without_docstring(node.body)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    return copy


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    value = first.value if isinstance(first, ast.Expr) else None
    is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return (body[1:] or [ast.Pass()]) if is_text else body


class _Nameless(ast.NodeTransformer):
    """Names that the code itself binds become one sign, texts empty; names of libraries and of the release stay."""

    def __init__(self, bound: Sequence[str]) -> None:
        self._bound = set(bound)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(LOCAL, node.ctx) if node.id in self._bound else node

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Constant:
        return ast.Constant("")

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(LOCAL)


def _nameless(tree: ast.AST) -> ast.AST:
    copy = ast.parse(ast.unparse(tree))
    stored = [node.id for node in ast.walk(copy) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    arguments = [node.arg for node in ast.walk(copy) if isinstance(node, ast.arg)]
    changed: ast.AST = _Nameless([*stored, *arguments]).visit(copy)
    return ast.fix_missing_locations(changed)
