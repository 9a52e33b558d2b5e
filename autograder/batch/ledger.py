"""What is graded already: the results files themselves, and nothing beside them that could disagree.

A results.json holds the key of what it was graded from (submission, release, hidden tests, code, seed, settings). It is
written in one step when its submission is done, so an interruption leaves a whole file or none. A lock keeps two runs
from one folder; it is the kernel's and goes with its process, however that ends.
"""

import fcntl
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from autograder.batch.entries import Entry
from autograder.course import Refusal
from autograder.grading.fingerprint import file_hash
from autograder.grading.results_file import FILE, encode
from autograder.grading.setting import Setting

FOLDER = "results"


class Ledger:
    """The results below a folder; a context manager that holds its lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            (self.folder / FOLDER).mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / ".lock").open("w")
        except OSError as error:
            raise Refusal(f"grade: {self.folder} cannot be written ({error.strerror}).") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise Refusal(
                f"grade: another run is writing to {self.folder}. Wait for it, or choose another -o."
            ) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.close()

    def results(self, entry: Entry, key: str) -> dict[str, Any] | None:
        """What was found earlier for exactly this; None where it must be graded."""
        found = read_results(self.folder / FOLDER / entry.name)
        return found if found is not None and extra_of(found).get("key") == key else None

    def write(self, name: str, key: str, results: dict[str, Any]) -> dict[str, Any]:
        """Write a results.json in one step, with its key; the content. Raises Refusal where the disk is full."""
        results["extra_data"]["key"] = key
        folder = self.folder / FOLDER / name
        partial = folder / f".{FILE}.partial"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(encode(results))
            partial.replace(folder / FILE)
        except OSError as error:
            raise Refusal(
                f"grade: {folder / FILE} cannot be written ({error.strerror}). Run again when it can."
            ) from None
        return results

    def set_aside(self, name: str) -> None:
        """An older result of what cannot be graded now goes out of the way, so that nobody takes it for today's."""
        file = self.folder / FOLDER / name / FILE
        if file.is_file():
            file.replace(file.with_name("outdated.json"))


def read_results(folder: Path) -> dict[str, Any] | None:
    """The results.json of this folder, or None where there is no whole one."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("tests"), list) else None


def extra_of(results: Mapping[str, Any]) -> Mapping[str, Any]:
    """`extra_data`, {} where it is missing."""
    extra = results.get("extra_data")
    return extra if isinstance(extra, Mapping) else {}


def key_of(path: Path, setting: Setting) -> str:
    """Names the submission's content and all that its grade depends on."""
    questions = sorted(setting.questions) if setting.questions is not None else None
    settings = [setting.set_name, setting.seed, questions, setting.time_limit, setting.isolation, *setting.hashes]
    return hashlib.sha256(json.dumps([file_hash(path), *settings]).encode()).hexdigest()
