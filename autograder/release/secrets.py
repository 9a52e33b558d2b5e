"""What students must not see, as canonical pieces of text with the place that each comes from.

A long line is a secret by itself and found inside any text. A short one is found only where it stands as a line of its
own, and, joined with the lines below it, inside any text. What also stands in a public cell is no secret; a short line
that pskit contains is none either.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from autograder.release.canonical import canonical_lines, lone_pieces, squeeze
from autograder.source import Cell, SourceSet, read_hidden_tests

LONG = 20  # canonical characters that make a line of code recognisable
LONG_PROSE = 24
LONG_COMMENT = 16
SHORTEST = 8
SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+|\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)")
WORTH = re.compile(r"^[-*]\s+\d+(?:\.\d+)?\s+points?:\s*")


@dataclass(frozen=True)
class Secret:
    """`text` is canonical; `alone` asks for it as a whole line; `said` is the original, for the message."""

    kind: str
    text: str
    said: str
    file: Path
    line: int
    alone: bool = False


def collect_secrets(root: Path, sources: Iterable[SourceSet]) -> tuple[Secret, ...]:
    """The secrets of these sets: regions of their sources, their hidden tests and variants, below `root`."""
    sources = list(sources)
    found = [secret for source in sources for secret in _of_set(root, source)]
    public = [line for source in sources for line in _public_text(source)]
    blob = "".join(canonical_lines("\n".join(public)))
    alone = lone_pieces("\n".join(public)) | _lines_of_folder(root / "pskit")
    kept = (s for s in found if (s.text not in alone if s.alone else s.text not in blob))
    return tuple({(secret.text, secret.alone): secret for secret in kept}.values())


def _public_text(source: SourceSet) -> list[str]:
    return [line for _, cell in source.files_and_cells() for _, line in cell.public_lines()]


def _lines_of_folder(folder: Path) -> set[str]:
    return {piece for file in folder.rglob("*.py") for piece in lone_pieces(file.read_text(encoding="utf-8"))}


def _of_set(root: Path, source: SourceSet) -> Iterator[Secret]:
    for file, cell in source.files_and_cells():
        if cell.role == "answer":
            yield from _of_answer(file, cell)
        elif cell.role == "written":
            yield from _of_prose("model answer", file, cell.region_lines("solution"))
            yield from _of_prose("mark scheme", file, cell.region_lines("mark scheme"))
    for file in sorted((root / "autograder" / "hidden" / source.plan.name).glob("*.py")):
        yield from _of_hidden_tests(file)
    for file in sorted((source.folder / "variants").rglob("*.py")):
        yield from _of_file("variant", file)


def _of_answer(file: Path, cell: Cell) -> Iterator[Secret]:
    comments = _comments(cell)
    for region in cell.regions:
        lines = [(n, text) for n, text in cell.region_lines("solution") if region.first_line < n < region.last_line]
        code = [(n, text[: comments.get(n, len(text))]) for n, text in lines]
        yield from _of_code("solution line", file, [(n, text) for n, text in code if text.strip()])
        yield from _of_comments(file, [(n, text[comments[n] + 1 :]) for n, text in lines if n in comments])


def _comments(cell: Cell) -> dict[int, int]:
    """Line of the file to the column where its comment begins."""
    tokens = tokenize.generate_tokens(io.StringIO(cell.source).readline)
    return {cell.first_line + t.start[0] - 1: t.start[1] for t in tokens if t.type == tokenize.COMMENT}


def _of_code(kind: str, file: Path, lines: list[tuple[int, str]]) -> Iterator[Secret]:
    squeezed = [squeeze(text) for _, text in lines]
    for index, (number, text) in enumerate(lines):
        short = len(squeezed[index]) < LONG
        if not short or len(squeezed[index]) >= SHORTEST:
            yield Secret(kind, squeezed[index], text.strip(), file, number, alone=short)
        if short:
            joined = _joined(squeezed[index:], LONG)
            if len(joined) >= LONG:
                yield Secret(kind, joined, text.strip(), file, number)


def _joined(pieces: list[str], enough: int) -> str:
    """The first pieces together, as many as it takes to be recognisable."""
    text = ""
    for piece in pieces:
        text += piece
        if len(text) >= enough:
            break
    return text


def _of_comments(file: Path, comments: Iterable[tuple[int, str]]) -> Iterator[Secret]:
    for number, text in comments:
        comment = squeeze(text)
        if len(comment) >= SHORTEST:
            yield Secret(
                "comment of a solution", comment, text.strip(), file, number, alone=len(comment) < LONG_COMMENT
            )


def _of_prose(kind: str, file: Path, lines: tuple[tuple[int, str], ...]) -> Iterator[Secret]:
    """Sentences, however they are wrapped, and lines."""
    first = lines[0][0] if lines else 0
    text = "\n".join(WORTH.sub("", line) for _, line in lines)
    position = 0
    for sentence in SENTENCE_END.split(text):
        position = text.index(sentence, position)
        number = first + text.count("\n", 0, position)
        yield from _prose(kind, file, number, sentence)
        yield from (s for line in sentence.split("\n") for s in _prose(kind, file, number, line))


def _prose(kind: str, file: Path, number: int, text: str) -> Iterator[Secret]:
    piece = "".join(canonical_lines(dedent(text)))
    if len(piece) >= SHORTEST:
        said = " ".join(text.split())
        yield Secret(kind, piece, said, file, number, alone=len(piece) < LONG_PROSE)


def _of_hidden_tests(file: Path) -> Iterator[Secret]:
    if file.name.startswith("test_"):
        yield Secret("hidden test's name", file.stem, file.stem, file, 0)
        for test in read_hidden_tests(file):
            yield Secret("hidden test's name", squeeze(test.name), test.name, file, test.line)
    yield from _of_file("hidden test", file)


def _of_file(kind: str, file: Path) -> Iterator[Secret]:
    """The long lines and long strings of a whole file, without its imports."""
    text = file.read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(text)))
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    skipped = {n for node in imports for n in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    said = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if number not in skipped]
    said += [(n.lineno, n.value) for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    for number, words in said:
        piece = "".join(canonical_lines(words))
        if len(piece) >= LONG_PROSE:
            yield Secret(kind, piece, " ".join(words.split()), file, number)
