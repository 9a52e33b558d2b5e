"""The data folder: what lies there is used only if its hash is right; what is missing is downloaded from a mirror.

A folder that cannot be written to serves as it is. The hashes guard against broken downloads and changed mirrors, not
against someone who can also change pskit.
"""

import functools
import os
import time
from pathlib import Path

from pskit.data.hashes import digest, manifest
from pskit.data.sources import SOURCES, Source

RETRY_AFTER = 300.0  # seconds in which a failed download is not tried again: every mirror costs its time limit
_failed_at: dict[str, float] = {}


class Unavailable(Exception):
    """A full set cannot be had; the text is a sentence for the student."""


def folder() -> Path:
    """Where the full sets lie: the environment's PSKIT_DATA, else ~/.cache/pskit."""
    return Path(os.environ.get("PSKIT_DATA") or Path.home() / ".cache" / "pskit").expanduser()


def full(name: str) -> list[Path]:
    """The verified files of a full set, downloaded if need be; raises Unavailable."""
    wanted = [path for path in manifest() if path.startswith(f"{name}/")]
    if missing := [path for path in wanted if not _is_there(folder() / path)]:
        _give_up_if_just_tried(name)
        try:
            _download(SOURCES[name], missing)
        except Unavailable:
            _failed_at[name] = time.monotonic()
            raise
    return [folder() / path for path in wanted]


def _is_there(path: Path) -> bool:
    if not path.is_file():
        return False
    facts = path.stat()
    return _verified(path, facts.st_size, facts.st_mtime)


@functools.cache
def _verified(path: Path, size: int, changed: float) -> bool:
    """The file has the content that the manifest names; hashed once for each state of the file."""
    return digest(path.read_bytes()) == manifest()[path.relative_to(folder()).as_posix()]


def _give_up_if_just_tried(name: str) -> None:
    if time.monotonic() - _failed_at.get(name, -RETRY_AFTER) < RETRY_AFTER:
        raise Unavailable(f"{SOURCES[name].title} could not be downloaded.")


def _download(source: Source, missing: list[str]) -> None:
    from pskit.data.download import fetch  # pooch and its network libraries load only when they are needed

    if not _can_write(folder()):
        raise Unavailable(f"{source.title} are not in {folder()}, and nothing can be written there.")
    print(f"{source.title}: downloading ({source.megabytes} MB, once) to {folder()} ...")
    for download in source.downloads:
        brings = {path: manifest()[path] for path in missing if path.startswith(download.members[1])}
        reasons = fetch(download, brings, folder()) if brings else []
        if reasons:
            raise Unavailable(f"{source.title} could not be downloaded ({'; '.join(reasons)}).")


def _can_write(where: Path) -> bool:
    try:
        where.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(where, os.W_OK)
