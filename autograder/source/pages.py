"""Sources and variants are one file each or, where one grew long, a folder of that name that is read as one.

The folder's .py files follow each other in the order of their names, as the files of a set do in its notebook. Lines
are counted through all of them; `located` finds the file that holds such a line, for messages.
"""

from itertools import accumulate
from pathlib import Path

from autograder.course import Refusal


def page(folder: Path, name: str) -> Path:
    """Where `name` stands in `folder`: the file `name`.py, or the folder `name`. Raises Refusal where both exist."""
    file, pages = folder / f"{name}.py", folder / name
    if not any(pages.glob("*.py")):
        return file
    if file.exists():
        raise Refusal(f"{file} and the folder {pages} both exist; keep one of them.")
    return pages


def files_of(place: Path) -> tuple[Path, ...]:
    """The files behind a page, in order; none if it does not exist."""
    if place.is_dir():
        return tuple(sorted(place.glob("*.py")))
    return (place,) if place.is_file() else ()


def read_page(place: Path) -> str:
    """The text of a file, or of a folder's files one after the other."""
    if not place.is_dir():
        return place.read_text(encoding="utf-8")
    return "".join(_whole_lines(file) for file in files_of(place))


def first_lines(place: Path) -> tuple[int, ...]:
    """On which line of the page's text each of its files begins, and where a further one would."""
    lengths = [_whole_lines(file).count("\n") for file in files_of(place)]
    return tuple(accumulate(lengths, initial=1))


def located(place: Path, line: int) -> tuple[Path, int]:
    """The file and its own line behind `line` of the page's text; lines of a file, and line 0, stay as they are."""
    if not place.is_dir() or line < 1:
        return place, line
    starts = list(zip(files_of(place), first_lines(place), strict=False))
    file, start = next(each for each in reversed(starts) if each[1] <= line)
    return file, line - start + 1


def _whole_lines(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    return text if not text or text.endswith("\n") else f"{text}\n"
