"""Every text inside a file that students may get: cells, outputs, metadata, members of a zip, names of files.

What packs text in a form that is not read here (other archives, compiled Python, a zip with a password) is refused.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autograder.release.errors import ReleaseError

SKIPPED = {"__pycache__", ".git", ".ipynb_checkpoints"}
OPAQUE = {".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar", ".pyc"}


def texts_of_path(path: Path) -> Iterator[tuple[str, str]]:
    """Where and what: every text in a file, or in all files of a folder."""
    if path.is_file():
        yield from texts_of_bytes(path.name, path.read_bytes())
        return
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        relative = file.relative_to(path)
        if not SKIPPED & set(relative.parts):
            yield from texts_of_bytes(relative.as_posix(), file.read_bytes())


def texts_of_bytes(name: str, data: bytes) -> Iterator[tuple[str, str]]:
    """Every text of one file: its name, and what it holds by its kind; pictures and other binary data hold none."""
    yield f"the name of {name}", name
    if Path(name).suffix.lower() in OPAQUE:
        raise ReleaseError(f"{name} cannot be searched for leaks; leave it out, or pack it as a zip.")
    if zipfile.is_zipfile(io.BytesIO(data)):
        yield from _zip(name, data)
    elif name.endswith(".ipynb"):
        yield from _notebook(name, data)
    elif b"\0" not in data:
        yield name, data.decode("utf-8", errors="replace")


def _zip(name: str, data: bytes) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                yield from texts_of_bytes(f"{name}/{member.filename}", _member(name, archive, member))


def _member(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(member)
    except (RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise ReleaseError(f"{name}/{member.filename} cannot be searched for leaks: {error}.") from None


def _notebook(name: str, data: bytes) -> Iterator[tuple[str, str]]:
    text = data.decode("utf-8", errors="replace")
    try:
        notebook = json.loads(text)
        cells = notebook.pop("cells")
        found = [item for number, cell in enumerate(cells, start=1) for item in _cell(f"{name}, cell {number}", cell)]
    except (ValueError, KeyError, TypeError, AttributeError):
        yield name, text  # not a notebook of today's form; its raw text is searched all the same
        return
    yield from found
    yield from ((f"{name}, metadata", item) for item in _strings(notebook))


def _cell(where: str, cell: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in cell.items():
        for text in _strings(value):
            yield (where if key == "source" else f"{where} ({key})"), text


def _strings(value: Any) -> Iterator[str]:
    """Every string inside a JSON value; a list of strings is one text, as notebooks store theirs."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _strings(inner)
    elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        ends = any(item.endswith("\n") for item in value)
        yield ("" if ends else "\n").join(value)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
