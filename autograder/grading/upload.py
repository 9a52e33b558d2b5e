"""What Gradescope says about an upload: submission_metadata.json, read leniently.

Grading goes on without it; every field that is missing or odd is left out, and nothing is guessed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Submitter:
    """One student of the upload's group: Gradescope's id, and when this student's work is due."""

    id: str
    due: datetime | None


@dataclass(frozen=True)
class Earlier:
    """An earlier upload: when, and its results.json ({} where Gradescope has none)."""

    at: datetime
    results: Mapping[str, Any]


@dataclass(frozen=True)
class Upload:
    """One upload. `created_at` is as Gradescope wrote it, `at` the same moment, None where it cannot be read."""

    id: str = ""
    created_at: str = ""
    at: datetime | None = None
    submitters: tuple[Submitter, ...] = ()
    earlier: tuple[Earlier, ...] = ()


def read_upload(path: Path) -> Upload:
    """The metadata in this file; an empty Upload where there is none."""
    try:
        return upload_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return Upload()


def upload_of(metadata: Any) -> Upload:
    """The metadata, already read from JSON."""
    fields = _mapping(metadata)
    created, usual = fields.get("created_at"), _mapping(fields.get("assignment")).get("due_date")
    earlier = [
        Earlier(at, _mapping(_mapping(entry).get("results")))
        for entry in _items(fields.get("previous_submissions"))
        if (at := moment(_mapping(entry).get("submission_time"))) is not None
    ]
    return Upload(
        id=_text(fields.get("id")),
        created_at=created if isinstance(created, str) else "",
        at=moment(created),
        submitters=tuple(_submitter(_mapping(user), usual) for user in _items(fields.get("users"))),
        earlier=tuple(sorted(earlier, key=lambda each: each.at)),
    )


def _submitter(user: Mapping[str, Any], usual: Any) -> Submitter:
    """A student's own due date, where Gradescope gives one, is the usual one with the student's extension."""
    own = _mapping(user.get("assignment")).get("due_date")
    return Submitter(_text(user.get("id")), moment(own if own is not None else usual))


def moment(text: Any) -> datetime | None:
    """A date with time and offset as Gradescope writes it, or None: without its offset it is no point in time."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.utcoffset() is not None else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _text(value: Any) -> str:
    return str(value) if isinstance(value, int | str) else ""
