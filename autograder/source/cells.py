"""Raw cells into cells with a role: keys, types, regions, the names that an answer defines."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from autograder.course import did_you_mean
from autograder.source.errors import SourceError
from autograder.source.markers import refuse_near_markers, regions
from autograder.source.model import ROLES, Cell, Region
from autograder.source.percent import RawCell, read_percent

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
ARTIFACT = re.compile(r"[A-Za-z0-9_-]+\.safetensors")
# What `ps` offers a hidden test itself: a student's function of such a name could not be called as ps.NAME.
RESERVED = ("run", "provide", "artifact", "get", "measure")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def read_cells(file: Path, name: str) -> tuple[Cell, ...]:
    """The cells of a percent file or a folder of them; `name` is what the ids of cells without one begin with."""
    text, raw_cells = read_percent(file)
    tree = _parse(file, text)
    counts: dict[str, int] = {}
    return tuple(_cell(file, raw, tree, _id(file, name, raw, counts)) for raw in raw_cells)


def _parse(file: Path, text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise SourceError(file, error.lineno or 0, f"is not valid Python: {error.msg}.") from None


def _id(file: Path, name: str, raw: RawCell, counts: dict[str, int]) -> str:
    """The cell's own id, or one from its file, part and role that other parts' cells do not shift."""
    if "id" in raw.keys:
        if not ID.fullmatch(raw.keys["id"]):
            raise SourceError(file, raw.line, f"id {raw.keys['id']!r} may hold letters, digits, - and _, at most 64.")
        return raw.keys["id"]
    stem = "-".join(filter(None, (name, raw.keys.get("part", ""), raw.keys.get("role", ""))))
    counts[stem] = counts.get(stem, 0) + 1
    return stem if counts[stem] == 1 else f"{stem}-{counts[stem]}"


def _cell(file: Path, raw: RawCell, tree: ast.Module, id: str) -> Cell:
    role = _role(file, raw)
    lines = list(enumerate(raw.source.split("\n"), start=raw.first_line))
    refuse_near_markers(file, lines)
    found = _placed(file, raw, role, regions(file, lines), tree)
    keys = {key: raw.keys.get(key, "") for key in ("part", "file")}
    cell = Cell(role, raw.source, raw.line, raw.first_line, id, **keys, regions=found, names=_names(found))
    if role == "artifact" and not ARTIFACT.fullmatch(cell.file):
        raise SourceError(file, raw.line, f"file={cell.file!r} must be a plain name that ends in .safetensors.")
    return cell


def _role(file: Path, raw: RawCell) -> str:
    name = raw.keys.get("role")
    if name is None:
        raise SourceError(file, raw.line, f'the cell has no role; write role="..." with one of {", ".join(ROLES)}.')
    if name not in ROLES:
        raise SourceError(file, raw.line, f"there is no role {name!r}. {did_you_mean(name, ROLES)}")
    role = ROLES[name]
    allowed = {"role", "id", *role.keys}
    for key in raw.keys:
        if key not in allowed:
            raise SourceError(file, raw.line, f"a cell of role {name} has no key {key!r}. {did_you_mean(key, allowed)}")
    for key in role.keys:
        if not raw.keys.get(key):
            raise SourceError(file, raw.line, f'a cell of role {name} needs {key}="...".')
    if raw.type != role.cell_type:
        raise SourceError(file, raw.line, f"a cell of role {name} must be a {role.cell_type} cell, not {raw.type}.")
    return name


def _placed(file: Path, raw: RawCell, role: str, found: tuple[Region, ...], tree: ast.Module) -> tuple[Region, ...]:
    """The regions where this role allows them, those of answers with the name of their definition."""
    if role == "answer":
        return _answer_regions(file, raw, found, tree)
    if role == "written":
        _written_regions(file, raw, found)
        return found
    if found:
        message = f"a cell of role {role} holds no {found[0].kind}; it belongs in an answer or a written cell."
        raise SourceError(file, found[0].first_line, message)
    return ()


def _written_regions(file: Path, raw: RawCell, found: tuple[Region, ...]) -> None:
    if [region.kind for region in found] != ["solution", "mark scheme"]:
        raise SourceError(
            file, raw.line, "a written cell holds one solution (the model answer) and then one mark scheme."
        )
    inside = {n for region in found for n in range(region.first_line, region.last_line + 1)}
    for number, line in enumerate(raw.source.split("\n"), start=raw.first_line):
        if line.strip() and number not in inside:
            raise SourceError(
                file, number, "text of a written cell outside its regions; put the task into a text cell."
            )


def _answer_regions(file: Path, raw: RawCell, found: tuple[Region, ...], tree: ast.Module) -> tuple[Region, ...]:
    if not found:
        raise SourceError(
            file, raw.line, "this answer cell has no ### BEGIN SOLUTION, so students would get the answer."
        )
    named = []
    for region in found:
        if region.kind != "solution":
            raise SourceError(file, region.first_line, "a mark scheme belongs in a written cell.")
        name = _enclosing(file, region, tree)
        if name in RESERVED:
            message = f"hidden tests call ps.{name} for something else; give the function {name} another name."
            raise SourceError(file, region.first_line, message)
        named.append(Region(region.kind, region.first_line, region.last_line, name))
    return tuple(named)


def _enclosing(file: Path, region: Region, tree: ast.Module) -> str:
    """The function ("f") or method ("VAE.encode") whose body holds the region."""
    chain = list(_chain(tree.body, region))
    functions = [node for node in chain if not isinstance(node, ast.ClassDef)]
    if not functions:
        message = "a solution must stand inside a function or a method, so that its stub raises only when it is called."
        raise SourceError(file, region.first_line, message)
    if not any(
        region.first_line < node.lineno < region.last_line
        for node in ast.walk(functions[0])
        if isinstance(node, ast.stmt)
    ):
        raise SourceError(file, region.first_line, "this solution is empty.")
    return ".".join(node.name for node in chain[: chain.index(functions[0]) + 1])


def _chain(body: list[ast.stmt], region: Region) -> Iterator[Definition]:
    """The definitions around a region, outermost first."""
    for node in body:
        if isinstance(node, Definition) and node.lineno < region.first_line <= (node.end_lineno or 0):
            yield node
            yield from _chain(node.body, region)


def _names(found: tuple[Region, ...]) -> tuple[str, ...]:
    """The top-level names that the regions belong to, each once, in order."""
    return tuple(dict.fromkeys(region.name.split(".")[0] for region in found if region.name))
