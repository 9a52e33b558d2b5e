"""Recognise what staff downloaded: a Gradescope export, a Canvas download, a folder of notebooks, or one submission."""

import zipfile
from pathlib import Path

from autograder.batch.canvas import read_canvas
from autograder.batch.canvas_names import is_canvas
from autograder.batch.entries import Download, Entry, in_order
from autograder.batch.gradescope_export import export_root, is_metadata, read_export
from autograder.batch.unpack import unpacked
from autograder.course import Refusal

KINDS = (".ipynb", ".py", ".zip")


def is_class(path: Path) -> bool:
    """Whether this is a download of a class, and not one student's submission.

    A zip: where it holds Gradescope's metadata, or most of its files are named as Canvas names them. A folder: the
    same, or where it holds submissions side by side. `--as class` or `--as one` decides where that is not plain.
    """
    if path.is_file():
        return zipfile.is_zipfile(path) and _zip_is_class(path)
    if not path.is_dir():
        return False
    return export_root(path) is not None or is_canvas(_names(path)) or not _is_one(path)


def _zip_is_class(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError):
        return False  # whoever reads it as one submission says what is wrong with it
    return any(map(is_metadata, names)) or is_canvas(names)


def read_download(path: Path, work: Path) -> Download:
    """Every submission at `path`; `work` is a folder for what must be unpacked or sorted. Raises Refusal."""
    if path.is_file() and not zipfile.is_zipfile(path):
        return Download("one submission", (Entry(path.stem, path),))
    folder = unpacked(path, work) if path.is_file() else path
    root = export_root(folder)
    if root is not None:
        return read_export(root)
    if is_canvas(_names(folder)):
        return read_canvas(folder, work / "canvas")
    papers = _papers(folder)
    if not papers:
        raise Refusal(f"grade: {path} holds no submissions: no notebook, script, zip or folder with a notebook.")
    named = [Entry(each.name if each.is_dir() else each.stem, each) for each in papers]
    return Download("a folder of notebooks", in_order(named))


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _papers(folder: Path) -> list[Path]:
    """Submissions side by side in a folder: notebooks, zips, scripts, folders that hold a notebook."""
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__")))
    return [path for path in inside if path.suffix in KINDS or (path.is_dir() and any(path.rglob("*.ipynb")))]


def _is_one(folder: Path) -> bool:
    """Whether a folder is itself a submission: an artifact lies in it, or its only notebook has scripts beside it."""
    papers = _papers(folder)
    notebooks = [path for path in papers if path.suffix != ".py"]
    return any(folder.glob("*.safetensors")) or len(papers) < 2 or len(notebooks) == 1
