"""Which point in time the clocks of a zone show; twice a year some of their times are none, or two."""

from datetime import datetime
from zoneinfo import ZoneInfo


def moment_of(shown: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment at which the zone's clocks show this; None where they skip it or show it twice."""
    offsets = {shown.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}
    return shown.replace(tzinfo=zone) if len(offsets) == 1 else None
