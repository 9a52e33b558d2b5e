"""Tables as they are exported: every cell that cannot be read is named by file, row and column; nothing is guessed."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

from autograder.course import Refusal, did_you_mean, moment_of
from autograder.grading.lateness import in_words

MOST_PROBLEMS = 20


class Problems:
    """What is wrong with the input, gathered so that one look mends all of it."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, sentence: str) -> None:
        """One more."""
        self.found.append(sentence)

    def check(self) -> None:
        """Raise Refusal where there are some."""
        if self.found:
            rest = len(self.found) - MOST_PROBLEMS
            more = [f"and {rest} more"] if rest > 0 else []
            raise Refusal("\n".join(["gradebook: nothing was written.", *self.found[:MOST_PROBLEMS], *more]))


@dataclass(frozen=True)
class Row:
    """One row of a file. `number` counts as a spreadsheet does: the header is row 1."""

    file: Path
    number: int
    cells: Mapping[str, str]
    problems: Problems

    def text(self, column: str) -> str:
        """A cell without blanks around it; "" where the file has no such column."""
        return self.cells.get(column, "").strip()

    def wrong(self, column: str, sentence: str) -> None:
        """Note that a cell cannot be meant."""
        self.problems.add(f"{self.file.name}, row {self.number}, column {column!r}: {sentence}")

    def number_in(self, column: str) -> Fraction | None:
        """A number as it is written, exactly; None where it is none, which is noted."""
        text = self.text(column)
        if re.fullmatch(r"-?\d{1,9}(\.\d{1,9})?", text):
            return Fraction(text)
        self.wrong(column, f"{text!r} is no number.")
        return None

    def moment_in(self, column: str, zone: ZoneInfo | None = None) -> datetime | None:
        """A point in time. Without an offset it is one only where `zone` is given and says which."""
        text = self.text(column)
        found = _date_with_time(text)
        if found is None:
            self.wrong(column, f"{text!r} cannot be read as a date with time, such as 2027-02-12 23:59:00 -0500.")
            return None
        if found.utcoffset() is not None:
            return found
        if zone is None:
            self.wrong(column, f"{text!r} has no offset from UTC, so it is no point in time.")
            return None
        return self._local(column, found, zone)

    def _local(self, column: str, found: datetime, zone: ZoneInfo) -> datetime | None:
        """A time of the course's zone, unless the clocks skip it or show it twice."""
        moment = moment_of(found, zone)
        if moment is None:
            self.wrong(column, f"{found} is not one point in time in {zone.key}: the clocks change. Add its offset.")
        return moment

    def duration_in(self, column: str) -> timedelta | None:
        """Hours, minutes and seconds, "26:03:10"."""
        text = self.text(column)
        if match := re.fullmatch(r"(\d{1,6}):([0-5]\d):([0-5]\d)", text):
            hours, minutes, seconds = map(int, match.groups())
            return timedelta(hours=hours, minutes=minutes, seconds=seconds)
        self.wrong(column, f"{text!r} is no lateness in hours, minutes and seconds, such as 1:05:00.")
        return None


def _date_with_time(text: str) -> datetime | None:
    """A date alone is none: Python would take it for the midnight with which that day begins."""
    if not re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", text):
        return None
    try:
        return datetime.fromisoformat(re.sub(r" ([+-]\d{2}:?\d{2})$", r"\1", text).replace(" UTC", "+00:00"))
    except ValueError:
        return None


def rows_of(file: Path, needed: tuple[str, ...], problems: Problems) -> Iterator[Row]:
    """The rows of a CSV file. A file or a column that is missing is noted, and then there are none."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            table = list(csv.reader(opened))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.add(f"{file}: cannot be read as CSV ({error}).")
        return
    header = [cell.strip() for cell in table[0]] if table else []
    missing = [column for column in needed if column not in header]
    for column in missing:
        problems.add(f"{file.name}: there is no column {column!r}. {did_you_mean(column, header)}")
    twice = {column for column in header if column and header.count(column) > 1}
    for column in sorted(twice & set(needed)):
        problems.add(f"{file.name}: there are two columns {column!r}.")
    if missing or twice & set(needed):
        return
    for number, cells in enumerate(table[1:], 2):
        if any(cell.strip() for cell in cells):
            if len(cells) != len(header):
                problems.add(f"{file.name}, row {number}: {len(cells)} cells under {len(header)} columns.")
                continue
            yield Row(file, number, dict(zip(header, cells, strict=True)), problems)


def differ(one: timedelta, other: timedelta) -> str:
    """Two latenesses in words."""
    return f"{in_words(one) if one else 'none'} against {in_words(other) if other else 'none'}"
