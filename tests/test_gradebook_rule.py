"""The rule on late hours, by its properties: nothing here is compared with the code's own output."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import Late
from autograder.gradebook.rule import Work, left, settle

RULE = Late(120, 1.0)
START = datetime(2027, 2, 13, 4, 59, tzinfo=UTC)
SETS = ("ps1", "ps2", "ps3", "ps4")


def work(name: str, late: timedelta | None, points: Any = 80, due: datetime = START, most: int = 100) -> Work:
    return Work(name, Fraction(points), Fraction(most), None if late is None else due + late, due)


@st.composite
def terms(draw: st.DrawFn) -> list[Work]:
    """A student's term: sets due days or weeks apart, handed in early, late, very late or never."""
    names = SETS[: draw(st.integers(1, 4))]
    found = []
    for name in names:
        due = START + timedelta(hours=draw(st.integers(0, 400)), minutes=draw(st.integers(0, 59)))
        late = draw(st.none() | st.timedeltas(timedelta(hours=-50), timedelta(hours=260)))
        most = draw(st.integers(1, 150))
        found.append(work(name, late, Fraction(draw(st.integers(0, most * 4)), 4), due, most))
    return found


@given(terms(), st.data())
def test_more_lateness_never_helps(term: list[Work], data: st.DataObject) -> None:
    """In no set, and so not in total: neither the later one nor any other gains a point."""
    handed_in = [i for i, each in enumerate(term) if each.at is not None]
    if not handed_in:
        return
    place = data.draw(st.sampled_from(handed_in))
    more = data.draw(st.timedeltas(timedelta(0), timedelta(hours=300)))
    chosen = term[place]
    later = [*term]
    later[place] = Work(chosen.set, chosen.points, chosen.most, chosen.at + more, chosen.due)  # type: ignore[operator]
    before = {each.work.set: each.final for each in settle(term, RULE)}
    after = {each.work.set: each.final for each in settle(later, RULE)}
    assert all(after[name] <= before[name] for name in before)


@given(terms(), st.randoms())
def test_the_order_of_rows_does_not_matter(term: list[Work], random: Any) -> None:
    shuffled = [*term]
    random.shuffle(shuffled)
    assert settle(shuffled, RULE) == settle(term, RULE)


@given(terms())
def test_hours_are_conserved_and_the_account_is_never_overdrawn(term: list[Work]) -> None:
    settled = settle(term, RULE)
    assert sum(each.charged for each in settled) <= RULE.hours
    assert left(settled, RULE) >= 0
    for each in settled:
        assert each.charged + each.unpaid == each.work.hours
        assert min(each.charged, each.unpaid) >= 0
        assert 0 <= each.final <= each.work.points
    if any(each.unpaid for each in settled):
        assert left(settled, RULE) == 0, "nobody pays while hours are left"


@given(terms())
def test_an_hour_is_a_started_hour(term: list[Work]) -> None:
    for each in settle(term, RULE):
        late = each.work.late.total_seconds()
        assert each.work.hours * 3600 >= late > (each.work.hours - 1) * 3600 or (each.work.hours == 0 and late == 0)


@given(terms(), st.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Chatham"]))
def test_time_zones_are_ways_to_write_one_moment(term: list[Work], zone: str) -> None:
    """Also where clocks change: the same moments in another zone cost the same."""
    place = ZoneInfo(zone)
    moved = [
        Work(each.set, each.points, each.most, each.at and each.at.astimezone(place), each.due.astimezone(place))
        for each in term
    ]
    one, other = settle(term, RULE), settle(moved, RULE)
    assert [(each.charged, each.unpaid, each.final) for each in one] == [
        (each.charged, each.unpaid, each.final) for each in other
    ]


@given(st.lists(st.integers(0, 200), min_size=1, max_size=4), st.integers(0, 150))
def test_without_overlap_sets_are_charged_one_after_the_other(hours: list[int], account: int) -> None:
    """The oracle is a subtraction: sets that are due a month apart use up the account in turn."""
    term = [
        work(name, timedelta(hours=late), due=START + timedelta(days=30 * i))
        for i, (name, late) in enumerate(zip(SETS, hours, strict=False))
    ]
    remaining = account
    for each, late in zip(settle(term, Late(account, 1.0)), hours, strict=True):
        assert each.before == remaining
        assert each.charged == min(remaining, late)
        remaining -= each.charged
        assert each.final == max(0, 80 - (late - each.charged))


def test_overlapping_sets_share_the_account_hour_by_hour() -> None:
    """ps2 is due 10 hours after ps1; both are 20 hours late; of 24 hours ps1 gets 10 + 7, ps2 gets 7."""
    term = [work("ps2", timedelta(hours=20), due=START + timedelta(hours=10)), work("ps1", timedelta(hours=20))]
    one, two = settle(term, Late(24, 1.0))
    assert (one.work.set, one.charged, one.unpaid) == ("ps1", 17, 3)
    assert (two.work.set, two.charged, two.unpaid) == ("ps2", 7, 13)
    assert (one.final, two.final) == (77, 67)


def test_a_second_late_is_an_hour_and_a_set_never_falls_below_0() -> None:
    (second,) = settle([work("ps1", timedelta(seconds=1))], RULE)
    assert (second.charged, second.final) == (1, 80)
    (lost,) = settle([work("ps1", timedelta(hours=120 + 81))], RULE)
    assert (lost.unpaid, lost.deduction, lost.final) == (81, 81, 0)
    (exact,) = settle([work("ps1", timedelta(hours=120))], RULE)
    assert (exact.unpaid, exact.final) == (0, 80)


def test_the_percentage_is_of_that_sets_points_and_exact() -> None:
    (each,) = settle([work("ps1", timedelta(hours=123), points="33.3", most=72)], Late(120, 0.1))
    assert each.deduction == 3 * Fraction(1, 1000) * 72
    assert each.final == Fraction("33.3") - Fraction(216, 1000)


def test_what_was_never_handed_in_is_not_late() -> None:
    (each,) = settle([work("ps1", None, points=0)], RULE)
    assert (each.work.hours, each.final) == (0, 0)


@pytest.mark.parametrize(
    ("due", "at", "hours"),
    [  # New York: clocks go forward on 14 March 2027 at 2:00, back on 7 November 2027 at 2:00
        (datetime(2027, 3, 13, 23, 59), datetime(2027, 3, 14, 3, 59), 3),
        (datetime(2027, 11, 6, 23, 59), datetime(2027, 11, 7, 3, 59), 5),
    ],
)
def test_the_nights_when_clocks_change(due: datetime, at: datetime, hours: int) -> None:
    zone = ZoneInfo("America/New_York")
    (each,) = settle([Work("ps1", Fraction(1), Fraction(1), at.replace(tzinfo=zone), due.replace(tzinfo=zone))], RULE)
    assert each.charged == hours
