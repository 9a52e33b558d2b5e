"""The bytes of an .ipynb file to its cells, whatever saved it; nothing is validated, nothing is executed."""

import json
import re
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any

from pskit.notebook.cells import Cell, Unreadable
from pskit.notebook.limits import MAX_CELLS, MAX_DEPTH, MAX_SOURCE_CHARS

AGAIN = "Download it again with File > Download > Download .ipynb and resubmit."

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[][{}]', re.DOTALL)
_VALUE = re.compile(rb"\s*:\s*[\[{]")
_ATTACHMENTS = frozenset({b'"attachments"'})
_HEAVY = frozenset({b'"outputs"', b'"widgets"'}) | _ATTACHMENTS


@dataclass(frozen=True)
class RawCell:
    """A cell as the file holds it: magics and all. `attachments` are there only where they were asked for."""

    number: int
    source: str
    kind: str
    metadata: dict[str, Any] = field(default_factory=dict)
    attachments: dict[str, Any] = field(default_factory=dict)


def read_notebook(name: str, data: bytes, *, attachments: bool = False) -> tuple[list[RawCell], dict[str, Any]]:
    """The cells and the notebook's metadata. Raises Unreadable with a sentence about the file `name`."""
    document = _document(name, data, _HEAVY - _ATTACHMENTS if attachments else _HEAVY)
    cells = _cells(name, document)
    raw = [_raw_cell(number, cell) for number, cell in enumerate(cells, 1)]
    if sum(len(cell.source) for cell in raw) > MAX_SOURCE_CHARS:
        raise Unreadable(
            f"{name} holds more than {MAX_SOURCE_CHARS:,} characters of source; remove data pasted into cells."
        )
    return raw, _dict(document.get("metadata"))


def decode(data: bytes) -> tuple[str, str]:
    """Text of a file and its encoding: UTF-8 and UTF-16 are recognised, everything else is read as Windows-1252."""
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), "cp1252"


def _document(name: str, data: bytes, heavy: Set[bytes]) -> dict[str, Any]:
    if not data.strip(b"\0 \t\r\n"):
        raise Unreadable(f"{name} is empty ({len(data)} bytes). {AGAIN}")
    _refuse_other_files(name, data)
    text = decode(_without(heavy, name, data))[0]
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"{name} is not a complete notebook: its JSON breaks off or is damaged at line {error.lineno}. {AGAIN}"
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise Unreadable(f"{name} holds JSON that no notebook program writes. {AGAIN}") from None
    if not isinstance(document, dict):
        raise Unreadable(f"{name} holds JSON, but no notebook. {AGAIN}")
    return document


def _refuse_other_files(name: str, data: bytes) -> None:
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise Unreadable(
            f"{name} is a web page, not a notebook; a browser saved the page around it, perhaps a login page. {AGAIN}"
        )
    if head.startswith(b"%pdf"):
        raise Unreadable(f"{name} is a PDF, not a notebook. {AGAIN}")


def _without(heavy: Set[bytes], name: str, data: bytes) -> bytes:
    """The JSON with every heavy value, such as an output, replaced by an empty one, before anything is decoded.

    Without this a notebook with one emoji and 60 MB of outputs costs half a gigabyte.
    """
    if b"\0" in data[:4]:
        return data  # UTF-16 or UTF-32: rare, and never large
    kept, position, depth, skipping = [], 0, 0, -1
    for token in _TOKEN.finditer(data):
        text = token.group()
        if text in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Unreadable(f"{name} nests more than {MAX_DEPTH} brackets, which no notebook does. {AGAIN}")
        elif text in b"]}":
            depth -= 1
            if depth == skipping:
                position, skipping = token.start(), -1
        elif skipping < 0 and text in heavy and (value := _VALUE.match(data, token.end())):
            kept.append(data[position : value.end()])
            skipping = depth
    if skipping >= 0:
        return data  # breaks off inside an output: the JSON reader says where
    return b"".join([*kept, data[position:]])


def _cells(name: str, document: dict[str, Any]) -> list[Any]:
    sheets = document.get("worksheets")
    cells = document.get("cells")
    if cells is None and isinstance(sheets, list):  # nbformat 3 and older
        cells = [cell for sheet in sheets for cell in _list(_dict(sheet).get("cells"))]
    if not isinstance(cells, list):
        raise Unreadable(f"{name} holds JSON, but no notebook: it has no cells. {AGAIN}")
    if len(cells) > MAX_CELLS:
        raise Unreadable(
            f"{name} has {len(cells):,} cells; at most {MAX_CELLS:,} are read. Submit the problem set's own notebook."
        )
    return cells


def _raw_cell(number: int, cell: Any) -> RawCell:
    cell = _dict(cell)
    source = _text(cell.get("source", cell.get("input", "")))
    kind = cell.get("cell_type")
    if kind == "heading":
        kind = "markdown"
    if kind not in ("code", "markdown", "raw"):
        kind = "code" if "outputs" in cell or "execution_count" in cell else "markdown"
    return RawCell(number, source, kind, _dict(cell.get("metadata")), _dict(cell.get("attachments")))


def _text(source: Any) -> str:
    """A source given as text or as lines, with plain newlines and without characters that Python cannot encode."""
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return plain_text(source) if isinstance(source, str) else ""


def plain_text(text: str) -> str:
    """Text with "\\n" as its only line end, no NUL, no BOM and no half of a surrogate pair."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").replace("\ufeff", "")
    return text.encode("utf-8", "replace").decode("utf-8")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def cell_of(raw: RawCell, source: str) -> Cell:
    """The cell with its source as Python, and what its metadata claim about it."""
    ours = _dict(raw.metadata.get("pskit"))
    return Cell(raw.number, source, raw.kind, str(ours.get("role", "")), str(ours.get("part", "")))
