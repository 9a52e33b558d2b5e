"""Files from the network into the data folder, from the first mirror that serves the right content."""

import gzip
import io
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pooch

from pskit.data.hashes import digest
from pskit.data.sources import Download

CONNECT, READ = 4.0, 20.0  # seconds: long enough for a slow campus, short enough to notice that there is no network
BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError)


def fetch(download: Download, wanted: dict[str, str], into: Path) -> list[str]:
    """Put the wanted files (path to SHA-256) into a folder. [] when all are there, else why each mirror failed."""
    reasons = []
    for mirror in download.mirrors:
        try:
            missing = _from_mirror(mirror, download, wanted, into)
        except BROKEN as error:
            reasons.append(f"{urlsplit(mirror).netloc}: {_short(error)}")
            continue
        if not missing:
            return []
        reasons.append(f"{urlsplit(mirror).netloc}: other content than expected")
    return reasons


def _from_mirror(mirror: str, download: Download, wanted: dict[str, str], into: Path) -> set[str]:
    """Keep every wanted file that the mirror serves with the right hash; returns those it did not."""
    missing = set(wanted)
    with tempfile.TemporaryDirectory(prefix="download-", dir=into) as scratch:
        for path, content in _contents(_retrieve(mirror, scratch), download):
            if wanted.get(path) == digest(content):
                _keep(content, into / path, Path(scratch))
                missing.discard(path)
    return missing


def _retrieve(url: str, scratch: str) -> Path:
    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=(CONNECT, READ))
    name = url.rsplit("/", 1)[-1]
    return Path(pooch.retrieve(url, known_hash=None, fname=name, path=scratch, downloader=downloader))


def _contents(file: Path, download: Download) -> Iterator[tuple[str, bytes]]:
    """Every file that a download holds, with its path in the data folder."""
    inside, outside = download.members
    if not inside:
        content = file.read_bytes()
        yield outside, gzip.decompress(content) if file.suffix == ".gz" else content
        return
    for name, content in _members(file):
        _, found, rest = name.partition(inside)
        if found:
            yield outside + rest, content


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                yield info.filename, opened.read(info)
        return
    with tarfile.open(archive) as opened_tar:
        for member in opened_tar:
            stream = opened_tar.extractfile(member) or io.BytesIO()
            yield member.name, stream.read()


def _keep(content: bytes, path: Path, scratch: Path) -> None:
    """Write a file so that it is either whole or not there."""
    part = scratch / "part"
    part.write_bytes(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    part.replace(path)


def _short(error: BaseException) -> str:
    """One word for the usual failures: their own texts run over several lines."""
    kind = type(error).__name__
    return {"ConnectTimeout": "no answer", "ReadTimeout": "no answer", "ConnectionError": "no connection"}.get(
        kind, kind
    )
