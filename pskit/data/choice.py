"""Which data to use: the full sets, or the small ones that come with pskit."""

from pathlib import Path

from pskit.data.store import Unavailable, full

_small = False
_said: set[str] = set()


def prefer_small(small: bool) -> None:
    """Use the small sets from now on (True), or the full ones where they can be had (False)."""
    global _small
    _small = small


def full_files(name: str, instead: str) -> list[Path]:
    """The files of the full set `name`; none of them, and a sentence the first time, when `instead` is so."""
    if _small:
        _say(f"QUICK: {instead}.")
        return []
    try:
        return full(name)
    except Unavailable as reason:
        _say(f"{reason} So {instead}.")
        return []


def _say(sentence: str) -> None:
    if sentence not in _said:
        _said.add(sentence)
        print(sentence)
