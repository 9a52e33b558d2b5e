"""The file results.json, written so that a valid one stands whatever happens afterwards.

What this does not protect against: a harness that kills the whole container and writes its own, and a file system that
promises space for a file and takes the promise back.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

FILE = "results.json"
RESERVED = 4 * 2**20  # bytes set aside for the final file, so that a full disk cannot stop it

CUT_OFF = (
    "Grading did not finish, so this result says nothing about your work, and its score of 0 does not count. "
    "Staff: grade this submission again; the output of the autograder says what happened."
)


class ResultsFile:
    """One results.json. Opening it writes the pessimistic one; `write` replaces it in one step."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError where the folder cannot be written at all."""
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self._partial = folder / FILE, folder / f".{FILE}.partial"
        self._replace(encode(pessimistic(CUT_OFF)))
        self._reserve()

    def write(self, results: dict[str, Any]) -> None:
        """Replace the file. Raises OSError, and leaves a valid older one, where the folder has become unwritable."""
        self._replace(encode(results))

    def _reserve(self) -> None:
        """Set space aside under the partial file's name, which the next write uses; Linux can."""
        with contextlib.suppress(OSError, AttributeError), self._partial.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, RESERVED)

    def _replace(self, data: bytes) -> None:
        handle = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        with os.fdopen(handle, "r+b", buffering=0) as file:
            _write_all(file.fileno(), data)
            file.truncate(len(data))
            os.fsync(file.fileno())
        self._partial.replace(self.path)
        _sync_folder(self.path.parent)

    def close(self) -> None:
        """Give back what was set aside."""
        with contextlib.suppress(OSError):
            self._partial.unlink(missing_ok=True)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems cannot, and the file itself is safe
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def encode(results: dict[str, Any]) -> bytes:
    """JSON in ASCII, whatever students' text holds."""
    return (json.dumps(results, indent=1, ensure_ascii=True, allow_nan=False) + "\n").encode("ascii")


def pessimistic(sentence: str) -> dict[str, Any]:
    """No points, and a sentence that says why."""
    line = {"name": "Grading", "status": "failed", "output": sentence, "output_format": "text", "visibility": "visible"}
    return {
        "score": 0.0,
        "output": sentence,
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [line],
    }
