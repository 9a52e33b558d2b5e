"""Typed reading of TOML tables: each error names the key, the value found and what is allowed."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from autograder.course.errors import CourseError, did_you_mean


class Table:
    """One table of `course.toml` under its dotted name ("sets.ps1_probabilistic"; empty for the whole file)."""

    def __init__(self, name: str, values: Mapping[str, Any], allowed: Iterable[str]) -> None:
        self.name, self.values = name, values
        names = set(allowed)
        for key in values:
            if key not in names:
                raise CourseError(f"course.toml: unknown key {self.path(key)!r}. {did_you_mean(key, names)}")

    def path(self, key: str) -> str:
        """The key with its table's name, as TOML writes it."""
        return f"{self.name}.{key}" if self.name else key

    def wrong(self, key: str, allowed: str) -> CourseError:
        """The error for a value that is not allowed."""
        return CourseError(f"course.toml: {self.path(key)} is {self.values[key]!r}; it must be {allowed}.")

    def take(self, key: str, allowed: str) -> Any:
        """The value, or an error that says what belongs there."""
        if key not in self.values:
            raise CourseError(f"course.toml: {self.path(key)} is missing; it must be {allowed}.")
        return self.values[key]

    def text(self, key: str, allowed: str = "a non-empty text") -> str:
        """A non-empty string."""
        value = self.take(key, allowed)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, allowed)
        return value

    def whole(self, key: str, least: int, unit: str) -> int:
        """A whole number of at least `least`."""
        allowed = f"a whole number of {unit}, {least} or more"
        value = self.take(key, allowed)
        if type(value) is not int or value < least:
            raise self.wrong(key, allowed)
        return value

    def number(self, key: str, least: float, most: float, unit: str) -> float:
        """A number between `least` and `most`."""
        allowed = f"a number of {unit} from {least:g} to {most:g}"
        value = self.take(key, allowed)
        if type(value) not in (int, float) or not least <= value <= most:
            raise self.wrong(key, allowed)
        return float(value)

    def switch(self, key: str) -> bool:
        """True or false."""
        value = self.take(key, "true or false")
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def one_of(self, key: str, choices: Iterable[str]) -> str:
        """One of these texts."""
        allowed = "one of " + ", ".join(map(repr, choices))
        value = self.take(key, allowed)
        if value not in choices:
            raise self.wrong(key, allowed)
        return str(value)

    def moment(self, key: str) -> datetime:
        """A date with a time and without an offset; the course's time zone is meant."""
        allowed = "a date and time without offset, such as 2027-02-12T23:59:00"
        value = self.take(key, allowed)
        if not isinstance(value, datetime) or value.tzinfo is not None:
            raise self.wrong(key, allowed)
        return value

    def names(self, key: str) -> tuple[str, ...]:
        """A list of texts, each at most once."""
        allowed = "a list of question names"
        value = self.take(key, allowed)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(key, allowed)
        return tuple(value)

    def table(self, key: str, allowed: Iterable[str]) -> "Table":
        """A table inside this one."""
        value = self.take(key, f"a table, [{self.path(key)}]")
        if not isinstance(value, dict):
            raise self.wrong(key, f"a table, [{self.path(key)}]")
        return Table(self.path(key), value, allowed)
