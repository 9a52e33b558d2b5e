"""A text to model: tiny Shakespeare (Karpathy, 2015), lines of several plays."""

from pathlib import Path

from pskit.data.choice import full_files

BUNDLED = Path(__file__).parent / "bundled" / "tinyshakespeare" / "input.txt"


def shakespeare() -> str:
    """The 1,115,394 characters of tiny Shakespeare, or its first 119,983 that come with pskit."""
    instead = "its first 119,983 characters, which come with pskit, stand in"
    files = full_files("tinyshakespeare", instead) or [BUNDLED]
    return files[0].read_text(encoding="utf-8")
