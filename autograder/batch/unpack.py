"""A class's zip, unpacked once: a folder beside the results, named by the zip's hash.

Members that point outside, links and devices are left out; what they declare is not believed. What this does not
protect against: a disk that is too small for what staff themselves downloaded, up to MOST_BYTES.
"""

import hashlib
import lzma
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from autograder.course import Refusal

MOST_BYTES = 64 * 2**30
CHUNK = 2**20
DAMAGED = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, lzma.LZMAError)


def unpacked(archive: Path, work: Path) -> Path:
    """The folder with the zip's files; a folder that an interruption left half full is filled anew. Raises Refusal."""
    with archive.open("rb") as file:
        name = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    folder = work / name
    if folder.is_dir():
        return folder
    partial = work / f"{name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            _unpack(opened, partial)
    except DAMAGED as error:
        raise Refusal(f"{archive} is a damaged zip ({error}). Download it again.") from None
    except OSError as error:
        raise Refusal(f"{archive} cannot be unpacked to {work} ({error}).") from None
    partial.rename(folder)
    return folder


def _unpack(opened: zipfile.ZipFile, folder: Path) -> None:
    left = MOST_BYTES
    for member in opened.infolist():
        path = PurePosixPath(member.filename)
        kind = stat.S_IFMT(member.external_attr >> 16)
        if member.is_dir() or path.is_absolute() or ".." in path.parts or kind not in (0, stat.S_IFREG):
            continue
        place = folder.joinpath(*path.parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        with opened.open(member) as source, place.open("wb") as target:
            while data := source.read(CHUNK):
                left -= len(data)
                if left < 0:
                    raise Refusal(f"{opened.filename} unpacks to more than {MOST_BYTES // 2**30} GB.")
                target.write(data)
