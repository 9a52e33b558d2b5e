"""Text stripped of what changes when it is copied: spaces, quotes, escapes, comment marks, colours, line numbers."""

import html
import re

ANSI = re.compile(r"\x1b\[[0-9;]*m")
COMMENT_MARK = re.compile(r"^\s*(?:[#>]+\s*)*")
TRACEBACK_MARK = re.compile(r"^\s*(?:-+>\s*)?(?:\d+\s)?")  # "----> 3 " and "      4 " of IPython
NOISE = re.compile(r"[\s\\\"'`]+")
IMAGE_DATA = re.compile(r"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]*")
TAG = re.compile(r"<[^<>]*>")


def squeeze(line: str) -> str:
    """One line without its comment mark, spaces, quotes and backslashes."""
    return NOISE.sub("", COMMENT_MARK.sub("", line))


def canonical_lines(text: str) -> list[str]:
    """The squeezed lines of a text; an escaped line end counts as one, on both sides of every comparison."""
    text = ANSI.sub("", IMAGE_DATA.sub("", text)).replace("\\n", "\n")
    return [squeeze(line) for line in text.splitlines()]


def variants(text: str) -> list[str]:
    """The text, and what a reader of an output sees of it: without traceback marks, and without HTML."""
    plain = ANSI.sub("", text)
    unmarked = "\n".join(TRACEBACK_MARK.sub("", line) for line in plain.splitlines())
    return list(dict.fromkeys([text, unmarked, html.unescape(TAG.sub("", text))]))


def lone_pieces(text: str) -> set[str]:
    """Every squeezed line, and for lines with a comment its code and its comment by themselves."""
    pieces = set(canonical_lines(text))
    for line in text.replace("\\n", "\n").splitlines():
        if "#" in line:
            code, _, comment = line.partition("#")
            pieces |= {squeeze(code), squeeze(comment)}
    return pieces - {""}
