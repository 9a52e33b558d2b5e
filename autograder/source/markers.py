"""Solution and mark-scheme markers: exact ones become regions, anything that is nearly one stops the build.

A marker that is misspelt would leave the solution in the release. Every line of the file is therefore compared with the
markers, and a line that is close to one without being one is an error, whichever cell it stands in.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, cast

from rapidfuzz.distance import OSA

from autograder.source.errors import SourceError
from autograder.source.model import Region

MARKER = re.compile(r"\s*### (BEGIN|END) (SOLUTION|MARK SCHEME)$")
ALLOWED = "### BEGIN SOLUTION, ### END SOLUTION, ### BEGIN MARK SCHEME and ### END MARK SCHEME"
VERBS = {"BEGIN": 2, "END": 1, "START": 1, "STOP": 1, "FINISH": 2}  # how many slips each word's length allows
NOUNS = ("SOLUTION", "MARK SCHEME", "MARKING SCHEME", "MARKSCHEME", "HIDDEN TESTS", "ANSWER", "MODEL ANSWER", "RUBRIC")
FILLERS = {"OF", "THE", "A", "YOUR", "HERE"}
SLIPS = 2
# nbgrader looks for these anywhere in a line, so they may stand nowhere but in a marker.
INSIDE = re.compile(r"(BEGIN|END)[\W_]*(SOLUTION|MARK[\W_]*SCHEME|HIDDEN[\W_]*TEST)", re.IGNORECASE)


def regions(file: Path, lines: Iterable[tuple[int, str]]) -> tuple[Region, ...]:
    """The regions of one cell's numbered lines; SourceError where markers are unbalanced or nested."""
    found: list[Region] = []
    opened: tuple[int, str] | None = None
    for number, verb, kind in _markers(lines):
        if verb == "BEGIN" and opened:
            raise SourceError(file, number, f"a {kind} begins inside the {opened[1]} that line {opened[0]} began.")
        if verb == "END" and (not opened or opened[1] != kind):
            raise SourceError(
                file, number, f"a {kind} ends here that has not begun; ### BEGIN {kind.upper()} is missing."
            )
        if verb == "END" and opened:
            found.append(Region(cast(Literal["solution", "mark scheme"], kind), opened[0], number))
        opened = (number, kind) if verb == "BEGIN" else None
    if opened:
        raise SourceError(
            file, opened[0], f"this {opened[1]} does not end in its cell; ### END {opened[1].upper()} is missing."
        )
    return tuple(found)


def _markers(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str, str]]:
    for number, line in lines:
        match = MARKER.match(line)
        if match:
            yield number, match[1], match[2].lower()


def refuse_near_markers(file: Path, lines: Iterable[tuple[int, str]]) -> None:
    """SourceError at the first line that is close to a marker without being one."""
    for number, line in lines:
        if not MARKER.match(line) and is_near_marker(line):
            raise SourceError(
                file, number, f"{line.strip()!r} is nearly a marker, but not one. The markers are {ALLOWED}."
            )


def is_near_marker(line: str) -> bool:
    """Whether a line, or the comment at its end, reads like a marker."""
    return bool(INSIDE.search(line)) or any(_reads_like_marker(text) for text in (line, line.partition("#")[2]))


def _reads_like_marker(text: str) -> bool:
    words = [word for word in re.findall(r"[A-Z]+", text.upper()) if word not in FILLERS]
    if not 1 <= len(words) <= 4 or len("".join(words)) > 26:
        return False
    if words[0] in VERBS and len(words) == 1:
        return text.count("#") >= 2  # a marker that lost its noun
    begins = any(_is(words[0], verb, slips) for verb, slips in VERBS.items())
    return (begins and _is_noun(words[1:])) or _is_glued(words)


def _is_glued(words: list[str]) -> bool:
    """`BEGINSOLUTION`, `E ND SOLUTION`: a space too few or in the wrong place."""
    text = "".join(words)
    return any(_is(text, verb + noun.replace(" ", ""), slips) for verb, slips in VERBS.items() for noun in NOUNS)


def _is_noun(words: list[str]) -> bool:
    return any(_is("".join(words), noun.replace(" ", ""), SLIPS) for noun in NOUNS)


def _is(word: str, wanted: str, slips: int) -> bool:
    return OSA.distance(word, wanted, score_cutoff=slips) <= slips
