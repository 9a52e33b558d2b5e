"""The zip: the notebook, light enough to upload, the trained models, and a receipt that the grader's report repeats."""

import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from pskit.notebook import BadRelease, receipt_of, release_of
from pskit.notebook.limits import MIB

HEAVY = 10 * MIB  # above this a notebook loses its largest outputs: people grade texts and pictures, nobody such a pile
SHOWN = 12  # characters of the receipt, as many as the grader's report shows


@dataclass(frozen=True)
class Packed:
    """What was written: the zip, the notebook and the models as they are inside, when, and the receipt."""

    path: Path
    notebook: bytes
    artifacts: Mapping[str, bytes]
    made: str
    receipt: str
    note: str

    @property
    def described(self) -> str:
        """The lines about what is in it."""
        lines = [f"Wrote {self.path}, {_size(self.path.stat().st_size)}:"]
        files = {self.path.name.replace("_submission.zip", ".ipynb"): self.notebook, **self.artifacts}
        lines += [f"  {name:<24}{_size(len(data)):>10}" for name, data in files.items()]
        return "\n".join([*lines, self.note] if self.note else lines)

    @property
    def receipt_in_words(self) -> str:
        """The lines to keep."""
        return (
            f"Receipt {self.receipt[:SHOWN]}, made {self.made}. Upload {self.path.name} to Gradescope: its report "
            f'shows the same {SHOWN} characters, "submission {self.receipt[:SHOWN]}".'
        )


def pack(name: str, notebook: bytes, saved: Iterable[str]) -> Packed:
    """Write `<name>_submission.zip`; `saved` are files of trained models beside those that the notebook asks for."""
    light, note = lighter(notebook)
    files = {Path(file).name: Path(file) for file in (*wanted_files(notebook), *saved)}
    artifacts = {file: path.read_bytes() for file, path in files.items() if path.is_file()}
    receipt = receipt_of(light, artifacts)
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    contents = {f"{name}.ipynb": light, **artifacts}
    path = Path(f"{name}_submission.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, data in contents.items():
            archive.writestr(file, data)
        archive.writestr("receipt.txt", _receipt_file(receipt, made, contents))
    return Packed(path, light, artifacts, made, receipt, note)


def wanted_files(notebook: bytes) -> tuple[str, ...]:
    """The trained models that this notebook's questions ask for, as far as its marks tell."""
    try:
        questions = release_of(Path("this notebook"), notebook).questions
    except BadRelease:
        return ()
    return tuple(dict.fromkeys(file for question in questions for part in question.parts for file in part.files))


def lighter(notebook: bytes) -> tuple[bytes, str]:
    """The notebook itself where it is not heavy, else without its largest outputs, and a sentence about that."""
    if len(notebook) <= HEAVY:
        return notebook, ""
    try:
        content: dict[str, Any] = json.loads(notebook)
        cells = [cell for cell in content["cells"] if cell.get("outputs")]
        sizes = sorted(((len(json.dumps(cell["outputs"])), i) for i, cell in enumerate(cells)), reverse=True)
    except (ValueError, KeyError, TypeError, AttributeError):
        return notebook, ""
    excess, dropped = len(notebook) - HEAVY, 0
    for size, i in sizes:
        if excess > 0:
            cells[i]["outputs"], excess, dropped = [], excess - size, dropped + 1
    light = json.dumps(content, ensure_ascii=False, indent=1).encode()
    return light, f"The outputs of {dropped} cells were left out: the notebook had {_size(len(notebook))}."


def _receipt_file(receipt: str, made: str, contents: dict[str, bytes]) -> str:
    lines = [f"receipt {receipt}", f"made {made}"]
    lines += [f"{sha256(data).hexdigest()}  {name}  ({len(data)} bytes)" for name, data in contents.items()]
    return "\n".join(lines) + "\n"


def _size(size: int) -> str:
    return f"{size / MIB:.1f} MB" if size >= MIB else f"{size / 1024:.0f} kB"
