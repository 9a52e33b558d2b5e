"""What a grade depends on, as hashes: equal hashes and an equal seed give an equal grade."""

import hashlib
from functools import lru_cache
from pathlib import Path

ROOMS = ("grading", "worker", "testing")  # with pskit, which reads and slices submissions: what decides about points


def folder_hash(folder: Path) -> str:
    """Of every file below a folder, by name and content, without what Python and editors leave there."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in name.parts):
            _add(digest, name.as_posix(), path.read_bytes())
    return digest.hexdigest()


def file_hash(path: Path) -> str:
    """Of a file or a folder, whichever it is, whatever it is called."""
    return folder_hash(path) if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()


@lru_cache(maxsize=1)
def tool_hash() -> str:
    """Of the code that grades, and of pskit, which reads and slices submissions and which students' code imports."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for folder in (*(package / room for room in ROOMS), package.parent / "pskit"):
        for path in sorted(folder.rglob("*.py")):
            _add(digest, path.relative_to(package.parent).as_posix(), path.read_bytes())
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", name: str, data: bytes) -> None:
    """With lengths, so that no two folders give one stream of bytes."""
    for piece in (name.encode(), data):
        digest.update(len(piece).to_bytes(8, "big"))
        digest.update(piece)
