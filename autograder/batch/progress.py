"""A bar with the time that is left; where nobody watches a terminal, a line now and then."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

EVERY = 20.0  # seconds between lines


class Watch:
    """Counts submissions; a context manager. The estimate is of this run's own pace."""

    def __init__(self, console: Console, total: int) -> None:
        self._console, self._total, self._done, self._people = console, total, 0, 0
        self._started = self._said = time.monotonic()
        text = TextColumn("{task.description}")
        columns = (
            text,
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("grading", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def step(self, person: bool) -> None:
        """One more is done."""
        self._done, self._people = self._done + 1, self._people + person
        self._bar.update(self._task, completed=self._done, description=f"grading, {self._people} for a person")
        now = time.monotonic()
        if not self._console.is_terminal and now - self._said > EVERY:
            self._said = now
            self._console.print(self.line(now - self._started), highlight=False)

    def line(self, seconds: float) -> str:
        """Where it stands, in words."""
        left = seconds / self._done * (self._total - self._done)
        return f"{self._done} of {self._total} graded, {self._people} for a person, about {left / 60:.1f} min left"
