"""How a committed release differs from a fresh build, for a person: cells as text, no JSON."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping

IMAGE_DATA = re.compile(r"(data:image/png;base64,.{12})[A-Za-z0-9+/=]*")


def differences(name: str, old: Mapping[str, bytes], new: Mapping[str, bytes]) -> str:
    """A unified diff over all files of the set `name`; empty where the two are equal."""
    files = sorted(old.keys() | new.keys())
    return "".join(_file(f"{name}/{file}", old.get(file), new.get(file)) for file in files)


def _file(path: str, old: bytes | None, new: bytes | None) -> str:
    if old == new:
        return ""
    if old is None or new is None:
        return f"{path}: {'is missing' if old is None else 'belongs to no source'}\n"
    if path.endswith(".png"):
        return f"{path}: the figure differs\n"
    before, after = (_readable(path, data).splitlines(keepends=True) for data in (old, new))
    text = "".join(difflib.unified_diff(before, after, f"{path} (committed)", f"{path} (fresh)"))
    return text or f"{path}: differs in its form only (metadata, order of keys, line ends)\n"


def _readable(path: str, data: bytes) -> str:
    text = data.decode("utf-8", errors="replace")
    if not path.endswith(".ipynb"):
        return text
    try:
        return "".join(_notebook(json.loads(text)))
    except (ValueError, KeyError, TypeError, AttributeError):
        return text


def _notebook(notebook: Mapping[str, object]) -> Iterator[str]:
    cells = notebook["cells"]
    assert isinstance(cells, list)
    for cell in cells:
        keys = " ".join(f'{key}="{value}"' for key, value in cell["metadata"].get("pskit", {}).items())
        header = f"# %% {'[markdown] ' if cell['cell_type'] == 'markdown' else ''}{keys}"
        source = IMAGE_DATA.sub(r"\1...", "".join(cell["source"]))
        outputs = f"# {len(cell['outputs'])} outputs\n" if cell.get("outputs") else ""
        yield f"{header}\n{source}\n{outputs}\n"
    yield json.dumps(notebook["metadata"], indent=1, sort_keys=True, ensure_ascii=False) + "\n"
