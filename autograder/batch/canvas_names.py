"""The names of files in Canvas's download of submissions, as Canvas writes them (its content_zipper.rb).

An uploaded file is WHO_USER_FILE_ORIGINAL, a text or an address that was typed in is WHO_USER_text.html or
WHO_USER_link.html. A late one has LATE before the user. In an anonymous assignment anon_CODE stands for WHO_USER.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

UPLOAD = re.compile(r"(?P<who>.+?)(?P<late>_LATE)?_(?P<ids>\d+(?:_\d+)+)_(?P<original>(?!\.\.?$).+)")
TYPED = re.compile(r"(?P<who>.+?)(?:_LATE)?_(?P<user>\d+)_(?P<original>(?:text|link)\.html)")
ANONYMOUS = re.compile(
    r"(?:LATE_)?anon_(?P<user>[0-9A-Za-z]+)_"
    r"(?:(?P<file>\d+)_(?P<original>(?!\.\.?$).+)|(?P<typed>(?:text|link)\.html))"
)
LONGEST = 255  # of a file's name, anywhere
NOT_CANVAS = (".", "__")  # how names begin that an operating system adds


@dataclass(frozen=True)
class CanvasName:
    """Whose file it is, and what the student called it. `file` is Canvas's number of it, 0 for what was typed in."""

    who: str
    user: str
    file: int
    original: str


def canvas_name(name: str) -> CanvasName | None:
    """What a file's name says; None where Canvas does not call a file so, as one below a folder."""
    if "/" in name or len(name) > LONGEST:
        return None
    if found := ANONYMOUS.fullmatch(name):
        return CanvasName("anon", found["user"], int(found["file"] or 0), found["original"] or found["typed"])
    if found := TYPED.fullmatch(name):
        return CanvasName(found["who"], found["user"], 0, found["original"])
    found = UPLOAD.fullmatch(name)
    return None if found is None else _upload(found)


def _upload(found: re.Match[str]) -> CanvasName:
    """A group may be called group_1, and a file 2_ps1.ipynb: then more numbers than two stand in a row.

    Of these the file's is the largest, for Canvas counts the files of everybody; the user's stands before it. After
    LATE the user's is the first.
    """
    ids = found["ids"].split("_")
    place = 1 if found["late"] else max(range(1, len(ids)), key=lambda i: int(ids[i]))
    who, original = [found["who"], *ids[: place - 1]], [*ids[place + 1 :], found["original"]]
    return CanvasName("_".join(who), ids[place - 1], int(ids[place]), "_".join(original))


def is_canvas(names: Iterable[str]) -> bool:
    """Whether most of these names are Canvas's: one stray file makes a class's download nothing else."""
    known = [canvas_name(name) is not None for name in names if not name.startswith(NOT_CANVAS)]
    return 2 * sum(known) > len(known)
