"""A release on disk: written atomically, compared with a fresh build."""

from collections.abc import Mapping
from pathlib import Path

GENERATED = ("*.ipynb", "README.md", "figures/*")


def committed(folder: Path) -> dict[str, bytes]:
    """The generated files that stand in a set's folder, by name."""
    paths = sorted(path for pattern in GENERATED for path in folder.glob(pattern) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def write(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """Make the folder hold these files; the names that changed. Files beside the generated ones stay."""
    before = committed(folder)
    changed = [name for name in files if before.get(name) != files[name]]
    finished = [(_beside(folder / name, files[name]), folder / name) for name in changed]
    for temporary, path in finished:
        temporary.replace(path)
    stale = [name for name in before if name not in files]
    for name in stale:
        (folder / name).unlink()
    return changed + stale


def _beside(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(data)
    return temporary
