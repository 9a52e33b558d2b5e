"""The variants of a question, read from `solutions/psN_*/variants/`, and each one as a cell of a student's notebook."""

import ast
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course import Refusal
from autograder.source import files_of, located, read_page
from autograder.verify.variants import Mark
from pskit.notebook import Cell
from pskit.slicing import slice_for

MARKS = {
    "wrong": ("wrong", "code"),
    "right": ("right", "code"),
    "wrong_artifact": ("wrong", "artifact"),
    "right_artifact": ("right", "artifact"),
}
Definition = ast.FunctionDef | ast.ClassDef


class BadVariant(Refusal):
    """Variants that cannot be used: the file, the line, a sentence."""

    def __init__(self, file: Path, line: int, sentence: str) -> None:
        place, line = located(file, line)
        name = place.name if place == file else f"{file.name}/{place.name}"
        super().__init__(f"variants/{name}:{line}: {sentence}")


@dataclass(frozen=True)
class Variant:
    """One marked answer. `cell` is the code to add to the reference, "" for an artifact."""

    name: str
    mark: Mark
    cell: str = ""


def read_variants(file: Path, names: Collection[str], taken: Collection[str]) -> tuple[Variant, ...]:
    """The variants of a question's file, or of its folder of files, in order. Raises BadVariant.

    names: what the question asks for; taken: every name that the set asks for, which helpers must not be called.
    The text is parsed, not run. The files of a folder are one namespace: helpers of one serve all.
    """
    try:
        tree = ast.parse(read_page(file))
    except SyntaxError as error:
        raise BadVariant(file, error.lineno or 0, f"is not valid Python: {error.msg}.") from None
    marked = list(_marked(file, tree))
    _names_differ(file, [node for node, _ in marked])
    bare = ast.unparse(_without_marks(tree))
    return tuple(Variant(node.name, mark, _cell(file, bare, node, mark, names, taken)) for node, mark in marked)


def _marked(file: Path, tree: ast.Module) -> Iterator[tuple[Definition, Mark]]:
    for node in tree.body:
        if isinstance(node, Definition):
            marks = [mark for mark in map(_mark, node.decorator_list) if mark]
            if len(marks) > 1:
                raise BadVariant(file, node.lineno, f"{node.name} has {len(marks)} marks; one is allowed.")
            if marks:
                yield node, marks[0]


def _mark(decorator: ast.expr) -> Mark | None:
    match decorator:
        case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(target))]) if name in MARKS:
            verdict, kind = MARKS[name]
            return Mark(target, verdict, kind)  # type: ignore[arg-type]
    return None


def _names_differ(file: Path, nodes: list[Definition]) -> None:
    seen: dict[str, int] = {}
    for node in nodes:
        if node.name in seen:
            raise BadVariant(
                file, node.lineno, f"{node.name} is the name of the variant in line {seen[node.name]}, too."
            )
        seen[node.name] = node.lineno


def _without_marks(tree: ast.Module) -> ast.Module:
    """The file as students could have written it: no decorators and no import of them."""
    for node in tree.body:
        if isinstance(node, Definition):
            node.decorator_list = [each for each in node.decorator_list if not _mark(each)]
    tree.body = [node for node in tree.body if not _imports_marks(node)]
    return tree


def _imports_marks(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "autograder.verify.variants"


def _cell(file: Path, bare: str, node: Definition, mark: Mark, names: Collection[str], taken: Collection[str]) -> str:
    if mark.kind == "artifact":
        return ""
    if mark.target not in names:
        asked = ", ".join(names)
        raise BadVariant(file, node.lineno, f"{node.name} stands in for {mark.target}; the question asks for {asked}.")
    pieces = [piece.source for piece in slice_for([node.name], [], [Cell(1, bare, "code")]).pieces]
    own = [source for source in pieces if _defines(source, node.name)]
    helpers = [source for source in pieces if source not in own]
    for source in helpers:
        for name in taken:
            if _defines(source, name):
                raise BadVariant(
                    file, node.lineno, f"{node.name} needs the helper {name}, a name that the set asks for."
                )
    return "\n".join([*helpers, *_under_graded_name(own[-1], node.name, mark.target)]) + "\n"


def _defines(source: str, name: str) -> bool:
    node = ast.parse(source).body[0]
    return isinstance(node, Definition) and node.name == name


def _under_graded_name(source: str, name: str, target: str) -> Iterator[str]:
    """The definition under the graded name. In it the graded name means the reference's, its own name itself."""
    tree = ast.parse(source)
    node = tree.body[0]
    assert isinstance(node, Definition), "a variant is a function or a class"
    used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    if target in used:
        yield f"reference_{target} = {target}"
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and each.id == target:
            each.id = f"reference_{target}"
    node.name = target
    yield ast.unparse(tree)
    if name in used:
        yield f"{name} = {target}"


def artifact_makers(file: Path) -> Mapping[str, Callable[[dict[str, Any]], Any]]:
    """The functions that make an artifact of the reference's; this runs the file, or the folder's files as one."""
    space: dict[str, Any] = {"__name__": f"variants {file.stem}"}
    for each in files_of(file):
        exec(compile(each.read_text(encoding="utf-8"), each, "exec"), space)
    found = {name: value for name, value in space.items() if isinstance(getattr(value, "mark", None), Mark)}
    return {name: value for name, value in found.items() if value.mark.kind == "artifact"}
