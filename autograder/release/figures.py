"""Expected figures: small PNG files beside the sources, shown inside the notebook.

Colab shows no attachment of a markdown cell and has no folder to which a relative path could point, and an address in
the mirror is dead before it is published. A figure is therefore written into its cell as a data address, the form in
which Colab itself stores images; JupyterLab shows it as well. The address stands at the cell's end, below the text.
"""

import base64
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from autograder.source import SourceError, SourceSet

if TYPE_CHECKING:  # releasing draws nothing
    from matplotlib.figure import Figure

IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<target>[^)\s]*)[^)]*\)")
TAG = re.compile(r"<img\b", re.IGNORECASE)
FOLDER = "figures"
MOST_BYTES = 300_000
PNG = b"\x89PNG\r\n\x1a\n"
# One grey pixel, where a draft shows a figure that does not exist yet.
BLANK = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")


def write_figure(figure: "Figure", source: Path, name: str) -> None:
    """Write a figure beside a set's sources as a small PNG of 64 colours, as wide as a notebook's text."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=70, bbox_inches="tight", facecolor="white")
    small = Image.open(buffer).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    (source / FOLDER).mkdir(exist_ok=True)
    small.save(source / FOLDER / f"{name}.png", optimize=True)


def read_figures(source: SourceSet) -> dict[str, bytes]:
    """The set's figures by file name; SourceError for what is missing, unused, too large or not a PNG.

    A draft shows a grey pixel for a figure that is missing.
    """
    folder = source.folder / FOLDER
    files = sorted(path for path in folder.glob("*") if not path.name.startswith("."))
    figures = {file.name: _png(file) for file in files}
    used = {name for _, _, _, name in figure_references(source)}
    if source.draft:
        return {name: figures.get(name, BLANK) for name in sorted(used)}
    for file, line, _, name in figure_references(source):
        if name not in figures:
            raise SourceError(file, line, f"shows {FOLDER}/{name}, but {folder / name} does not exist.")
    left_out = "".join(path.read_text(encoding="utf-8") for path in source.folder.rglob("*.py"))
    for name in figures:
        if (
            name not in used and f"({FOLDER}/{name})" not in left_out
        ):  # an extension that this term leaves out keeps its own
            raise SourceError(
                folder / name, 0, f"no text cell shows it; write ![what is to be seen]({FOLDER}/{name}) or remove it."
            )
    return {name: figures[name] for name in sorted(used)}


def _png(file: Path) -> bytes:
    data = file.read_bytes()
    if not data.startswith(PNG):
        raise SourceError(file, 0, "is not a PNG file.")
    if len(data) > MOST_BYTES:
        raise SourceError(file, 0, f"has {len(data):,} bytes; a figure inside a notebook has at most {MOST_BYTES:,}.")
    return data


def figure_references(source: SourceSet) -> Iterator[tuple[Path, int, str, str]]:
    """File, line, alternative text and figure name of every figure that a text cell shows."""
    for file, cell in source.files_and_cells():
        for number, line in cell.public_lines() if cell.role == "text" else ():
            if TAG.search(line):
                raise SourceError(
                    file, number, f"write figures as ![what is to be seen]({FOLDER}/name.png), not as <img>."
                )
            for image in IMAGE.finditer(line):
                if not image["target"].startswith("https://"):
                    yield file, number, *_figure(file, number, image["alt"], image["target"])


def _figure(file: Path, line: int, alt: str, target: str) -> tuple[str, str]:
    folder, _, name = target.rpartition("/")
    if folder != FOLDER:
        raise SourceError(
            file, line, f"{target!r} is not in {FOLDER}/; a notebook in Colab has no other files beside it."
        )
    if not alt.strip():
        raise SourceError(
            file, line, f"{target} has no text for those who cannot see it; write it between the brackets."
        )
    return alt, name


def embed(text: str, figures: Mapping[str, bytes]) -> str:
    """A text cell's source with its figures inside."""
    shown = list(dict.fromkeys(m["target"].rpartition("/")[2] for m in IMAGE.finditer(text) if _is_ours(m["target"])))
    text = IMAGE.sub(
        lambda m: f"![{m['alt']}][{m['target'].rpartition('/')[2]}]" if _is_ours(m["target"]) else m[0], text
    )
    ends = (f"[{name}]: data:image/png;base64,{base64.b64encode(figures[name]).decode()}" for name in shown)
    return "\n\n".join([text, *ends])


def _is_ours(target: str) -> bool:
    return target.startswith(f"{FOLDER}/")
