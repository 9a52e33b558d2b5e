"""Whether the notebook that is handed in is what was run here: what is not saved, and what ran in another order."""

import ast
from collections.abc import Iterable, Iterator

from pskit.handin.notebook_here import shell
from pskit.handin.pack import Packed
from pskit.notebook import BadRelease, release_of
from pskit.notebook.notebook_file import read_notebook
from pskit.notebook.python import clean
from pskit.slicing import top_level


def out_of_step(packed: Packed) -> Iterator[str]:
    """A sentence for each answer whose definition in the notebook is not the one that ran last in this session.

    An answer that did not run in this session is none of them: the fresh process tries it.
    """
    ran = getattr(getattr(shell(), "history_manager", None), "input_hist_raw", [])
    try:
        names = release_of(packed.path, packed.notebook).names
    except BadRelease:
        return
    cells = [
        clean(cell.source)[0] for cell in read_notebook(packed.path.name, packed.notebook)[0] if cell.kind == "code"
    ]
    saved, used = _definitions(cells), _definitions(clean(source)[0] for source in ran)
    written = {text for each in saved.values() for text in each}
    for name in names:
        if name in used and name in saved and used[name][-1] != saved[name][-1]:
            yield _sentence(name, in_notebook=used[name][-1] in written)


def _sentence(name: str, in_notebook: bool) -> str:
    if in_notebook:
        return f"{name} is defined several times, and what you ran last is not the last one. The last one counts."
    return (
        f"{name} in the notebook is not what you ran last here. The notebook counts. If you did not save it, save it "
        "and run this cell again; if you changed the cell since, run it and its checks."
    )


def _definitions(sources: Iterable[str]) -> dict[str, list[str]]:
    """Every definition of each name at the top level, in order, without its layout and comments."""
    found: dict[str, list[str]] = {}
    for source in sources:
        for node in top_level(source):
            for name in _bound(node):
                found.setdefault(name, []).append(ast.unparse(node))
    return found


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]
