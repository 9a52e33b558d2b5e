"""A text to model: tiny Shakespeare (Karpathy, 2015), lines of several plays."""

from pathlib import Path

from pskit.data.choice import use_full
from pskit.data.store import folder

BUNDLED = Path(__file__).parent / "bundled" / "tinyshakespeare" / "input.txt"


def shakespeare() -> str:
    """The 1,115,394 characters of tiny Shakespeare, or its first 119,983 that come with pskit."""
    full = use_full("tinyshakespeare", "its first 119,983 characters, which come with pskit, stand in")
    return (folder() / "tinyshakespeare" / "input.txt" if full else BUNDLED).read_text(encoding="utf-8")
