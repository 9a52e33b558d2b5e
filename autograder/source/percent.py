"""A jupytext percent file into raw cells with line numbers.

jupytext reads the cells; the lines of their headers are found here and both must agree, so that a header inside a
string or a misspelt one stops the build instead of moving a cell's text into its neighbour.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext

from autograder.source.errors import SourceError
from autograder.source.pages import files_of, first_lines, read_page

HEADER = re.compile(r"\s*#\s*(%%.*|<codecell>\s*|In\[[0-9 ]*\]:?\s*)$")
GOOD_HEADER = re.compile(r'# %%( \[markdown\])?( [A-Za-z_]\w*="[^"]*")* *$')
NEAR_HEADER = re.compile(r"\s*#\s*(%\s*%?|%)\s*(\[|(role|part|id|file)\b)")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
JUPYTEXT_KEYS = {"lines_to_next_cell"}  # jupytext's own note on blank lines


@dataclass(frozen=True)
class RawCell:
    """A cell as jupytext reads it, with the lines of its header and of its first line of text."""

    type: str
    source: str
    keys: Mapping[str, str]
    line: int
    first_line: int


def read_percent(file: Path) -> tuple[str, tuple[RawCell, ...]]:
    """The text of a percent file and its cells; SourceError where a header is not one."""
    text = _text(file)
    lines = text.split("\n")
    _no_control_characters(file, lines)
    headers = _header_lines(file, lines)
    cells = jupytext.reads(text, fmt="py:percent").cells
    if len(cells) != len(headers):
        raise SourceError(file, 0, _disagreement(len(cells), len(headers)))
    return text, tuple(_raw(file, cell, header) for cell, header in zip(cells, headers, strict=True))


def _text(file: Path) -> str:
    try:
        return read_page(file)
    except UnicodeDecodeError as error:
        raise SourceError(file, 0, f"is not UTF-8 text: {error}.") from None


def _no_control_characters(file: Path, lines: list[str]) -> None:
    """An editor or a script that took a formula's backslash for an escape left text that nobody can read."""
    for number, line in enumerate(lines, start=1):
        found = CONTROL.search(line)
        if found:
            raise SourceError(file, number, f"holds the control character {found[0]!r}; was it a backslash once?")


def _header_lines(file: Path, lines: list[str]) -> list[int]:
    """1-based lines of the cell headers; every one must have the plain form."""
    headers = [number for number, line in enumerate(lines, start=1) if HEADER.match(line)]
    for number in headers:
        if not GOOD_HEADER.match(lines[number - 1]):
            form = '# %% role="..." part="..."  or  # %% [markdown] role="text"'
            raise SourceError(file, number, f"this cell header cannot be read; its form is {form}")
    for number, line in enumerate(lines, start=1):
        if number not in headers and NEAR_HEADER.match(line):
            raise SourceError(file, number, "this looks like a cell header, but a header begins with '# %% '.")
    _nothing_before(file, lines, headers)
    return headers


def _nothing_before(file: Path, lines: list[str], headers: list[int]) -> None:
    if not headers:
        raise SourceError(file, 0, 'holds no cell; a cell begins with a header such as # %% [markdown] role="text"')
    for start in first_lines(file)[: len(files_of(file))]:
        first = next((number for number in headers if number >= start), len(lines) + 1)
        for number, line in enumerate(lines[start - 1 : first - 1], start=start):
            if line.strip():
                raise SourceError(file, number, "text before the first cell header belongs to no cell; give it one.")


def _disagreement(cells: int, headers: int) -> str:
    return (
        f"has {headers} lines that look like cell headers, but reads as {cells} cells; "
        "a header stands inside a string or inside a fenced block. Change that line."
    )


def _raw(file: Path, cell: Any, header: int) -> RawCell:
    """jupytext keeps a cell's blank lines at the front, so its text begins right below the header."""
    if "cell_marker" in cell.metadata:
        raise SourceError(file, header, "write markdown as comments, each line after '# ', not as a string.")
    blank = len(cell.source) - len(cell.source.lstrip("\n"))
    keys = {key: value for key, value in cell.metadata.items() if key not in JUPYTEXT_KEYS}
    return RawCell(cell.cell_type, cell.source[blank:], keys, header, header + 1 + blank)
