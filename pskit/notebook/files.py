"""The files of a submission - one file, a folder or a zip - in memory, bounded, and never unpacked to disk.

Links and devices are not followed, members that point outside are not read: each is a sentence. What this does not
protect against: a folder that another process changes while it is read (Gradescope's is at rest by then).
"""

import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath

from pskit.notebook.cells import Unreadable
from pskit.notebook.limits import (
    MAX_ARTIFACT_BYTES,
    MAX_FILES,
    MAX_NOTEBOOK_BYTES,
    MAX_TOTAL_BYTES,
    MAX_UPLOAD_BYTES,
    MAX_ZIP_DEPTH,
    MAX_ZIP_RATIO,
    MIB,
)

NOTEBOOK_ENDINGS = (".ipynb", ".py", ".json")
ALONE = "Submit only the notebook and its .safetensors files."
_IGNORED_FOLDERS = {"__MACOSX", ".ipynb_checkpoints", "__pycache__", ".git", ".venv", "node_modules"}


@dataclass(frozen=True)
class Found:
    """One file of a submission: its path inside it ("solution/ps1.ipynb") and its bytes."""

    name: str
    data: bytes


class Collected:
    """Files found so far, the sentences about those that were refused, and the bytes that may still be read."""

    def __init__(self) -> None:
        self.files: list[Found] = []
        self.notes: list[str] = []
        self._left = MAX_TOTAL_BYTES
        self._count = 0

    def add(self, name: str, size: int, read: Callable[[int], bytes]) -> bytes | None:
        """Read a file of this size if its kind is wanted and its size allowed; `read(n)` gives at most n bytes."""
        self._count += 1
        if self._count > MAX_FILES:
            raise Unreadable(f"The submission holds more than {MAX_FILES:,} files. {ALONE}")
        limit = _limit(name)
        if limit == 0:
            return None
        if size > limit:
            self.notes.append(_too_large(name, size, limit))
            return None
        data = read(min(limit, self._left) + 1)
        if len(data) > limit or len(data) > self._left:
            raise Unreadable(f"{name} or the files before it unpack to more than {MAX_TOTAL_BYTES // MIB} MB. {ALONE}")
        self._left -= len(data)
        return data


def collect(path: Path) -> Collected:
    """All notebooks, scripts and safetensors files at `path`. Raises Unreadable."""
    found = Collected()
    if path.is_dir():
        _folder(path, found)
    else:
        _single(path, found)
    return found


def _limit(name: str) -> int:
    """Most bytes that a file of this name may have; 0 for files that grading does not read."""
    lower = name.lower()
    if lower.endswith(".safetensors"):
        return MAX_ARTIFACT_BYTES
    if lower.endswith(".zip"):
        return MAX_UPLOAD_BYTES
    return MAX_NOTEBOOK_BYTES if lower.endswith(NOTEBOOK_ENDINGS) or ".ipynb" in lower else 0


def _single(path: Path, found: Collected) -> None:
    try:
        status = path.stat()
    except OSError:
        raise Unreadable(f"{path.name} does not exist or may not be read. Check the path.") from None
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable(f"{path.name} is not a file. Submit the notebook itself.")
    with path.open("rb") as file:
        is_zip = file.read(4) == b"PK\x03\x04"
        limit = MAX_UPLOAD_BYTES if is_zip else MAX_NOTEBOOK_BYTES
        if status.st_size > limit:
            raise Unreadable(_too_large(path.name, status.st_size, limit))
        file.seek(0)
        data = file.read(limit)
    if is_zip:
        _zip(path.name, data, found, depth=1)
    else:
        found.files.append(Found(path.name, data))


def _too_large(name: str, size: int, limit: int) -> str:
    return (
        f"{name} has {size // MIB} MB; at most {limit // MIB} MB are read. "
        "Clear the outputs (Edit > Clear all outputs), save, and submit the notebook alone."
    )


def _folder(root: Path, found: Collected) -> None:
    for path in _walk(root, found):
        name = path.relative_to(root).as_posix()
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a link" if stat.S_ISLNK(mode) else "a device, a pipe or a socket"
            found.notes.append(f"{name} is {kind}, not a file, and was not read.")
            continue
        data = found.add(name, path.stat().st_size, partial(_read_file, path))
        _keep(name, data, found, depth=1)


def _walk(root: Path, found: Collected) -> Iterator[Path]:
    for folder, folders, names in os.walk(root, followlinks=False):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        found.notes += [f"{name} is a link to a folder and was not followed." for name in links]
        folders[:] = sorted(name for name in folders if name not in _IGNORED_FOLDERS)
        yield from (Path(folder) / name for name in sorted(names) if not name.startswith("._"))


def _read_file(path: Path, limit: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit)


def _keep(name: str, data: bytes | None, found: Collected, depth: int) -> None:
    if data is None:
        return
    if name.lower().endswith(".zip"):
        _zip(name, data, found, depth)
    else:
        found.files.append(Found(name, data))


def _zip(name: str, data: bytes, found: Collected, depth: int) -> None:
    if depth > MAX_ZIP_DEPTH:
        found.notes.append(f"{name} is a zip inside a zip inside a zip and was not read.")
        return
    try:
        archive = zipfile.ZipFile(BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError, UnicodeError):
        raise Unreadable(f"{name} is a damaged zip. Make it again, or submit the .ipynb file itself.") from None
    with archive:
        for member in archive.infolist():
            if _wanted(member, found):
                inner = found.add(member.filename, member.file_size, partial(_read_member, name, archive, member))
                _keep(member.filename, inner, found, depth + 1)


def _wanted(member: zipfile.ZipInfo, found: Collected) -> bool:
    """Whether a member is a plain file in a sensible place; sentences about those that are not."""
    path = PurePosixPath(member.filename)
    if member.is_dir() or _IGNORED_FOLDERS & set(path.parts) or path.name.startswith("._"):
        return False
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        found.notes.append(f"{member.filename} is a link or a device, not a file, and was not read.")
        return False
    if path.is_absolute() or ".." in path.parts or "\\.." in member.filename:
        found.notes.append(f"{member.filename} points outside the zip and was not read.")
        return False
    return True


def _read_member(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes:
    """At most `limit` bytes of a member, whatever size it declares."""
    if member.flag_bits & 0x1:
        raise Unreadable(
            f"{name} is protected by a password. Make the zip without one, or submit the .ipynb file itself."
        )
    if member.file_size > MIB and member.file_size > MAX_ZIP_RATIO * max(member.compress_size, 1):
        raise Unreadable(
            f"{member.filename} in {name} unpacks to over {MAX_ZIP_RATIO} times its size. Submit the .ipynb itself."
        )
    try:
        with archive.open(member) as file:
            return file.read(limit)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError, zlib.error):
        raise Unreadable(
            f"{member.filename} in {name} is damaged. Make the zip again, or submit the .ipynb file itself."
        ) from None
