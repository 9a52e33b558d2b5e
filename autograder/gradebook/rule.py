"""The rule on late hours: pure functions of the data, exact to the last fraction.

Each student has an account of late hours for the whole term. A late hour begins at the due date and at each full hour
after it, until the work is handed in; an hour that has begun counts whole. First come, first charged: hours are taken
from the account in the order in which they begin, whichever sets they belong to, until it is empty. Each hour after
that costs its set a percentage of that set's points; no set falls below 0.

So an hour more of lateness adds one hour to those that are charged, and takes the place of none that was not: being
later never helps, in no set and not in total.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from autograder.course import Late
from autograder.grading.lateness import HOUR, lateness, started_hours

CENT = Fraction(1, 100)


@dataclass(frozen=True)
class Work:
    """One set of one student: points of the points there are, when it was handed in (None: never), when it was due."""

    set: str
    points: Fraction
    most: Fraction
    at: datetime | None
    due: datetime

    @property
    def late(self) -> timedelta:
        """How late it is; nothing that was never handed in is late."""
        return timedelta(0) if self.at is None else lateness(self.at, self.due)

    @property
    def hours(self) -> int:
        """Its started late hours."""
        return started_hours(self.late)


@dataclass(frozen=True)
class Settled:
    """A work with what its hours cost: `charged` to the account, which had `before`; `unpaid` beyond it."""

    work: Work
    before: int
    charged: int
    unpaid: int
    deduction: Fraction

    @property
    def final(self) -> Fraction:
        """The points that count."""
        return max(Fraction(0), self.work.points - self.deduction)


def settle(works: Iterable[Work], late: Late) -> tuple[Settled, ...]:
    """One student's term, in the order of the due dates. The order in which the works are given does not matter."""
    ordered = sorted(works, key=lambda work: (work.due.astimezone(UTC), work.set))
    charged = charged_hours(ordered, late.hours)
    left, settled = late.hours, []
    for work in ordered:
        unpaid = work.hours - charged[work.set]
        deduction = unpaid * Fraction(str(late.percent_per_hour)) * CENT * work.most
        settled.append(Settled(work, left, charged[work.set], unpaid, deduction))
        left -= charged[work.set]
    return tuple(settled)


def charged_hours(works: Sequence[Work], account: int) -> dict[str, int]:
    """How many hours of each set the account pays for: its first ones by the time at which they begin."""
    begins = [(work.due.astimezone(UTC), i, work) for i, work in enumerate(works)]
    begun = [(due + k * HOUR, i, work.set) for due, i, work in begins for k in range(work.hours)]
    charged = {work.set: 0 for work in works}
    for _, _, name in sorted(begun)[:account]:
        charged[name] += 1
    return charged


def left(settled: Iterable[Settled], late: Late) -> int:
    """What is left of the account."""
    return late.hours - sum(each.charged for each in settled)
