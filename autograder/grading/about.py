"""An upload in the results: what staff and a regrade need of it, and what its students are told about their time."""

from typing import Any

from autograder.grading.lateness import in_words, lateness, started_hours
from autograder.grading.rate import is_valid
from autograder.grading.upload import Upload


def about(upload: Upload) -> dict[str, Any]:
    """For `extra_data`: whose upload, when it was made, what is late. Names and addresses stay out."""
    if not upload.created_at:
        return {}
    return {
        "created_at": upload.created_at,
        "upload": upload.id,
        "number": 1 + len(upload.earlier),
        "submitters": [
            {"id": each.id, "due": each.due.isoformat() if each.due else None, "late_hours": hours}
            for each, hours in zip(upload.submitters, late_hours(upload), strict=True)
        ],
    }


def late_hours(upload: Upload) -> list[int | None]:
    """Started late hours of each submitter by the submitter's own due date; None where one of the two is unknown."""
    return [
        None if upload.at is None or each.due is None else started_hours(lateness(upload.at, each.due))
        for each in upload.submitters
    ]


def lateness_lines(upload: Upload) -> list[str]:
    """What the submitters are told; nothing where it was in time. The score itself is never touched by it."""
    late = {
        (lateness(upload.at, each.due), hours)
        for each, hours in zip(upload.submitters, late_hours(upload), strict=True)
        if upload.at is not None and each.due is not None and hours
    }
    whom = " for those of you with that due date" if len(late) > 1 else ""
    return [
        f"Handed in {in_words(by)} after the due date: {hours} late hour{'s' * (hours != 1)}{whom}, each counted once "
        "it has started. This score is not reduced by them; the course's account of late hours is."
        for by, hours in sorted(late)
    ]


def before(upload: Upload) -> list[str]:
    """The result of the upload before, for students who hand in again."""
    scores = [each.results["score"] for each in upload.earlier if is_valid(each.results)]
    return [f"Your upload before this one has {scores[-1]:g} points."] if scores else []
