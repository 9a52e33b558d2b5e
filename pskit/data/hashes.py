"""What the full sets must be, byte for byte: the manifest that lies beside this file."""

import functools
import hashlib
from pathlib import Path


@functools.cache
def manifest() -> dict[str, str]:
    """SHA-256 of every file of the full sets, by its path in the data folder."""
    lines = (Path(__file__).parent / "SHA256SUMS").read_text().splitlines()
    return {path: sha256 for sha256, path in (line.split("  ") for line in lines)}


def digest(content: bytes) -> str:
    """SHA-256 as the manifest writes it."""
    return hashlib.sha256(content).hexdigest()
