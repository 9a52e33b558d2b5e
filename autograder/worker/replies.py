"""A decoded reply read strictly: either the value of this very request, or one of the outcomes, clamped."""

from typing import Any

from autograder.worker.outcomes import ORIGINS, BadReply, Frame, Raised

MAX_TEXT, MAX_NAME, MAX_FRAMES, MAX_LINE = 2000, 80, 20, 10**6
UNSENDABLE = {
    "deep": "the result is nested too deeply, or contains itself",
    "large": "the result is too large to be sent to the grader",
    "memory": "the result needs more memory than there is",
}


def read_reply(reply: Any, sequence: int) -> Any:
    """The value of request `sequence`. Raises Raised, or BadReply for anything that is not a reply to it."""
    if type(reply) is not tuple or len(reply) != 3 or type(reply[0]) is not int or type(reply[1]) is not str:
        raise BadReply("the reply is not a reply")
    number, status, value = reply
    if number != sequence:
        raise BadReply("the reply answers another request")
    if status == "ok":
        return value
    if status == "unsendable" and type(value) is str and value in UNSENDABLE:
        raise BadReply(UNSENDABLE[value], usable=True)
    if status == "raised" and type(value) is dict:
        raise _raised(value)
    raise BadReply("the reply is not a reply")


def printable(text: str) -> str:
    """The text with its control characters replaced, so that it cannot rewrite a terminal or a page."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _raised(fields: dict[Any, Any]) -> Raised:
    origin, stub = fields.get("origin"), fields.get("not_implemented")
    if type(origin) is not str or origin not in ORIGINS:
        raise BadReply("the reply names no origin of its error")
    return Raised(
        _text(fields.get("kind"), MAX_NAME), _text(fields.get("text"), MAX_TEXT), _frames(fields.get("frames")),
        origin, None if stub is None else _text(stub, MAX_TEXT),
    )  # fmt: skip


def _text(value: Any, limit: int) -> str:
    """A string cut at the limit and made printable."""
    if type(value) is not str:
        raise BadReply("the reply describes its error wrongly")
    return printable(value[:limit])


def _frames(value: Any) -> tuple[Frame, ...]:
    if type(value) is not list or len(value) > MAX_FRAMES:
        raise BadReply("the reply describes its error wrongly")
    return tuple(_frame(item) for item in value)


def _frame(item: Any) -> Frame:
    if type(item) is not tuple or len(item) != 3 or type(item[1]) is not int or not 0 <= item[1] <= MAX_LINE:
        raise BadReply("the reply describes its error wrongly")
    return Frame(_text(item[0], MAX_NAME), item[1], _text(item[2], MAX_NAME))
