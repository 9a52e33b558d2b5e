"""How late something was handed in: from two points in time, and from nothing else.

The time of grading plays no part, so a regrade a year later finds the same.
"""

from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)


def lateness(submitted: datetime, due: datetime) -> timedelta:
    """How much later than due; zero where it was in time. Both moments know their offset; ValueError otherwise."""
    for moment in (submitted, due):
        if moment.utcoffset() is None:
            raise ValueError(f"{moment.isoformat()} has no offset from UTC")
    # In UTC: two moments of one time zone would be subtracted by the clock on the wall, an hour off when it changes.
    return max(submitted.astimezone(UTC) - due.astimezone(UTC), timedelta(0))


def started_hours(late: timedelta) -> int:
    """Hours, each counted in full from the moment it starts: one second late is one hour."""
    return -(-max(late, timedelta(0)) // HOUR)


def in_words(late: timedelta) -> str:
    """ "2 d 3 h 10 min"; seconds only below a minute."""
    minutes, seconds = divmod(int(late.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    words = [f"{days} d"] * bool(days) + [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    return " ".join(words) or f"{seconds} s"
