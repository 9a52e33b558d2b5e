"""What the tools raise when they decline to go on: a text for a person, printed without a stack trace."""

from collections.abc import Iterable
from difflib import get_close_matches


class Refusal(Exception):
    """The tool declines; its text says what happened, where, and what to do."""


class CourseError(Refusal):
    """`course.toml` says something that cannot be meant; the text names the key, the value and what is allowed."""


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """A sentence with the nearest of the allowed names, or with all of them where none is near."""
    names = sorted(allowed)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Allowed: {', '.join(names) or 'none'}."
