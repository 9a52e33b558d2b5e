"""pskit as a wheel, byte-identical wherever and whenever it is built, and the address at which notebooks find it.

Its version carries a hash of its content, so that the setup cell sees whether a student has the one that the notebook
was released with, and so that the mirror can keep the wheels of earlier releases beside it. Nothing is compressed: what
a compressor writes depends on its version.
"""

import base64
import hashlib
import io
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from autograder.course import Course

FOLDER = "wheels"
NEEDS = ("torch", "numpy", "matplotlib", "safetensors", "pooch", "pillow", "tqdm")  # what Colab has installed
EPOCH = (1980, 1, 1, 0, 0, 0)
METADATA = """Metadata-Version: 2.1
Name: pskit
Version: {version}
Summary: What the notebooks of the problem sets import
License: MIT
Requires-Python: {python}
{needs}
"""
WHEEL = """Wheel-Version: 1.0
Generator: autograder
Root-Is-Purelib: true
Tag: py3-none-any
"""


@dataclass(frozen=True)
class Wheel:
    """The wheel's version, file name and bytes."""

    version: str
    name: str
    data: bytes

    @property
    def sha256(self) -> str:
        """The hash that the setup cell pins."""
        return hashlib.sha256(self.data).hexdigest()


def pskit_wheel(root: Path) -> Wheel:
    """The wheel of `pskit/` below `root`; without a pskit (a course for tests) an empty one."""
    project = tomllib.loads(file.read_text("utf-8")) if (file := root / "pyproject.toml").is_file() else {}
    files = {
        f"pskit/{path.relative_to(root / 'pskit').as_posix()}": path.read_bytes() for path in _files(root, project)
    }
    about = project.get("project", {})
    version = f"{about.get('version', '0')}+{_digest(files)[:12]}"
    home = f"pskit-{version}.dist-info"
    needs = "\n".join(f"Requires-Dist: {name}" for name in NEEDS)
    metadata = METADATA.format(version=version, python=about.get("requires-python", ">=3.11"), needs=needs)
    files |= {f"{home}/METADATA": metadata.encode(), f"{home}/WHEEL": WHEEL.encode()}
    record = "".join(f"{name},{_record_hash(data)},{len(data)}\n" for name, data in sorted(files.items()))
    files[f"{home}/RECORD"] = f"{record}{home}/RECORD,,\n".encode()
    return Wheel(version, f"pskit-{version}-py3-none-any.whl", _zip(files))


def wheel_url(course: Course, wheel: Wheel) -> str:
    """Where the mirror serves it."""
    return f"{course.mirror}/raw/{course.mirror_ref}/{FOLDER}/{quote(wheel.name)}"


def _files(root: Path, project: Mapping[str, object]) -> Iterator[Path]:
    """Modules, and the data that pyproject.toml lists; nothing that Python, editors and systems leave there."""
    tool: dict[str, dict[str, dict[str, list[str]]]] = project.get("tool", {})  # type: ignore[assignment]
    data = tool.get("setuptools", {}).get("package-data", {}).get("pskit", [])
    paths = {path for pattern in ("**/*.py", *data) for path in (root / "pskit").glob(pattern)}
    for path in sorted(paths):
        hidden = any(part.startswith((".", "__pycache__")) for part in path.relative_to(root).parts)
        if path.is_file() and not hidden:
            yield path


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        digest.update(f"{name}\n{hashlib.sha256(data).hexdigest()}\n".encode())
    return digest.hexdigest()


def _record_hash(data: bytes) -> str:
    return f"sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')}"


def _zip(files: Mapping[str, bytes]) -> bytes:
    """The files in order, as every machine writes them."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in sorted(files, key=lambda name: (".dist-info/" in name, name)):  # pip reads the end first
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, files[name])
    return stream.getvalue()
