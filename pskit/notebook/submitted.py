"""A submission as it really arrives, read into cells and artifacts: .ipynb, .py, .zip or a folder."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pskit.notebook.artifacts import artifact_problems
from pskit.notebook.cells import Cell, Submission, Unreadable, receipt_of
from pskit.notebook.files import NOTEBOOK_ENDINGS, Collected, Found, collect
from pskit.notebook.notebook_file import AGAIN, RawCell, cell_of, decode, read_notebook
from pskit.notebook.python import clean
from pskit.notebook.script import script_cells

_DEFINITION = re.compile(r"^\s*(?:async\s+)?(?:def|class)\s+(\w+)", re.MULTILINE)
_BROWSER_COPY = re.compile(r"\s*\(\d+\)(?=\.safetensors$)", re.IGNORECASE)


@dataclass(frozen=True)
class _Candidate:
    file: Found
    cells: list[RawCell]

    def rank(self, names: Collection[str]) -> tuple[int, int, bool, int, str]:
        """Sorts the likeliest notebook first: most asked names, then most definitions, a notebook before a script."""
        defined = {name for cell in self.cells if cell.kind == "code" for name in _DEFINITION.findall(cell.source)}
        depth = len(PurePosixPath(self.file.name).parts)
        is_script = not self.file.name.lower().endswith(".ipynb")
        return (-len(defined & set(names)), -len(defined), is_script, depth, self.file.name)


def read_submission(path: Path, names: Collection[str] = ()) -> Submission:
    """Read a submission. `names` are the names that the set's questions ask for; among several notebooks they decide.

    Raises Unreadable with a sentence for the student.
    """
    found = collect(Path(path))
    notes = list(found.notes)
    chosen = _choose(Path(path), found, names, notes)
    cells = tuple(_python_cell(raw, notes) for raw in chosen.cells)
    if not any(cell.source.strip() for cell in cells if cell.kind == "code"):
        notes.append(f"{chosen.file.name} holds no code.")
    artifacts = _artifacts(found, chosen.file, notes)
    return Submission(cells, artifacts, tuple(notes), receipt_of(chosen.file.data, artifacts))


def read_as_saved(path: Path, names: Collection[str] = ()) -> list[RawCell]:
    """The cells of the notebook that `read_submission` reads, as they were saved, with pictures that are attached.

    Raises Unreadable with a sentence for the student.
    """
    chosen = _choose(Path(path), collect(Path(path)), names, [])
    if chosen.file.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return read_notebook(chosen.file.name, chosen.file.data, attachments=True)[0]
    return chosen.cells


def _choose(path: Path, found: Collected, names: Collection[str], notes: list[str]) -> _Candidate:
    files = [file for file in found.files if not file.name.lower().endswith(".safetensors")]
    if len(files) == 1:
        return _candidate(files[0], notes)
    candidates, reasons = [], []
    for file in files:
        try:
            candidates.append(_candidate(file, notes))
        except Unreadable as reason:
            reasons.append(str(reason))
    if not candidates:
        raise Unreadable(" ".join(reasons[:3]) or _nothing(path, found))
    best, *others = sorted(candidates, key=lambda candidate: candidate.rank(names))
    notes += reasons
    if others:
        rest = ", ".join(other.file.name for other in others[:5])
        notes.append(
            f"Several notebooks were submitted; {best.file.name} answers most and is graded. Not graded: {rest}."
        )
    return best


def _nothing(path: Path, found: Collected) -> str:
    what = "The folder" if path.is_dir() else path.name
    return " ".join(
        [f"{what} holds no notebook. Submit the .ipynb file (File > Download > Download .ipynb).", *found.notes[:3]]
    )


def _candidate(file: Found, notes: list[str]) -> _Candidate:
    lower = file.name.lower()
    if not lower.endswith(".py"):
        _refuse_archives(file)
    if lower.endswith(".py") and not file.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        if not file.data.strip():
            raise Unreadable(f"{file.name} is empty ({len(file.data)} bytes). Save it again and resubmit.")
        return _Candidate(file, script_cells(_text(file, notes)))
    cells, _ = read_notebook(file.name, file.data)
    if not lower.endswith(NOTEBOOK_ENDINGS):
        notes.append(f"{file.name} was read as a notebook.")
    return _Candidate(file, cells)


def _text(file: Found, notes: list[str]) -> str:
    text, encoding = decode(file.data)
    if encoding == "cp1252":
        notes.append(f"{file.name} is not UTF-8; it was read as Windows-1252, so special characters may be wrong.")
    return text


def _refuse_archives(file: Found) -> None:
    kinds = {
        b"\x1f\x8b": "a gzip file",
        b"Rar!": "a RAR archive",
        b"7z\xbc\xaf": "a 7-Zip archive",
        b"\x80\x02": "a pickle",
    }
    for head, kind in kinds.items():
        if file.data.startswith(head):
            raise Unreadable(f"{file.name} is {kind}, not a notebook. {AGAIN}")


def _python_cell(raw: RawCell, notes: list[str]) -> Cell:
    if raw.kind != "code":
        return cell_of(raw, raw.source)
    source, phrases = clean(raw.source)
    notes += [f"Cell {raw.number}{phrase}" for phrase in phrases]
    return cell_of(raw, source)


def _artifacts(found: Collected, notebook: Found, notes: list[str]) -> dict[str, bytes]:
    """Safetensors files by their bare name; of two with the same name the one nearer to the notebook."""
    folder = PurePosixPath(notebook.name).parent
    files = [file for file in found.files if file.name.lower().endswith(".safetensors")]
    files.sort(key=lambda file: (PurePosixPath(file.name).parent != folder, file.name))
    artifacts: dict[str, bytes] = {}
    for file in files:
        name = PurePosixPath(file.name).name
        artifacts.setdefault(name, file.data)
        notes += artifact_problems(file.name, file.data)
    for name in list(artifacts):
        plain = _BROWSER_COPY.sub("", name)
        if plain not in artifacts:
            artifacts[plain] = artifacts.pop(name)
            notes.append(f"{name} was read as {plain}.")
    return artifacts
