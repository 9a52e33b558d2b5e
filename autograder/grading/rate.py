"""How many uploads are graded in a day: one too many keeps the student's last valid result.

Only what Gradescope says about the uploads counts (`created_at` and the earlier ones), never the time of grading: a
regrade decides the same. An upload that could not be graded, or that was itself over the limit, uses none up.

What this does not protect against: a student who is in two groups, whose uploads Gradescope lists apart; and a regrade
that comes to this upload before the earlier one, whose result of before a mended test then stays here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from autograder.course import Gradescope
from autograder.grading.upload import Earlier, Upload

KEPT = "kept_from"  # in extra_data: the upload whose result this is
FIELDS = ("score", "tests", "leaderboard", "execution_time", "visibility")


@dataclass(frozen=True)
class OverLimit:
    """This upload is not graded: the earlier one whose result stays, when the next is graded, and why."""

    kept: Earlier
    again: datetime
    sentence: str


def over_limit(upload: Upload, limit: Gradescope) -> OverLimit | None:
    """Whether this upload is one too many; None where it is to be graded."""
    if not limit.uploads or upload.at is None:
        return None
    window = timedelta(hours=limit.hours)
    graded = [each for each in upload.earlier if each.at < upload.at and is_valid(each.results)]
    recent = [each for each in graded if upload.at - each.at < window and not _was_kept(each.results)]
    if len(recent) < limit.uploads:
        return None
    again = recent[-limit.uploads].at + window
    sentence = (
        f"This upload was not graded: {limit.uploads} in any {limit.hours} hours are, and yours of the last "
        f"{limit.hours} hours are used up. The next one is graded from {_local(again, upload.at)} on. "
        f"Your result of {_local(recent[-1].at, upload.at)} stays, and is shown below. "
        "If this upload is past your due date, activate that one in your submission history: this one counts as late."
    )
    return OverLimit(recent[-1], again, sentence)


def kept_results(over: OverLimit, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The results.json of an upload over the limit: the last valid one, and a first line that says so."""
    old = over.kept.results
    results: dict[str, Any] = {field: old[field] for field in FIELDS if field in old}
    before = old.get("output")
    results["output"] = over.sentence + (f"\n\n{before}" if isinstance(before, str) else "")
    results |= dict.fromkeys(("output_format", "test_output_format", "test_name_format"), "text")
    results["stdout_visibility"] = "hidden"
    results["extra_data"] = {**old["extra_data"], **extra, KEPT: over.kept.at.isoformat()}
    return results


def is_valid(results: Mapping[str, Any]) -> bool:
    """Whether grading came to its end: the pessimistic file, and a harness's own, hold no `extra_data` of ours."""
    extra, score = results.get("extra_data"), results.get("score")
    return isinstance(extra, Mapping) and "release_sha256" in extra and type(score) in (int, float)


def _was_kept(results: Mapping[str, Any]) -> bool:
    return KEPT in results["extra_data"]


def _local(moment: datetime, like: datetime) -> str:
    """In the offset that Gradescope wrote the upload's time in, which is the course's."""
    return moment.astimezone(like.tzinfo).strftime("%-d %B %H:%M")
