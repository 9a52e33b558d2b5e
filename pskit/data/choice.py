"""Which data to use: the full sets, or the small ones that come with pskit."""

from pskit.data.store import Unavailable, full

_small = False
_said: set[str] = set()


def prefer_small(small: bool) -> None:
    """Use the small sets from now on (True), or the full ones where they can be had (False)."""
    global _small
    _small = small


def use_full(name: str, instead: str) -> bool:
    """Make the full set `name` ready; False, and a sentence the first time, when the small one `instead` stands in."""
    if _small:
        return _say(f"QUICK: {instead}.")
    try:
        full(name)
    except Unavailable as reason:
        return _say(f"{reason} So {instead}.")
    return True


def _say(sentence: str) -> bool:
    if sentence not in _said:
        _said.add(sentence)
        print(sentence)
    return False
