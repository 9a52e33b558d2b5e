"""Seconds of work that is done several times, in turn with what it is compared with."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

TIMES = 3  # runs of each


@dataclass(frozen=True)
class Times:
    """Seconds of each run."""

    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        """The run in the middle, which ratios are made of."""
        return statistics.median(self.runs)

    def __str__(self) -> str:
        """The median, and between which runs it lies."""
        return f"{self.median:.2f} s ({min(self.runs):.2f} to {max(self.runs):.2f})"


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """The result of the work and its wall time in seconds."""
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def in_turn(works: Mapping[str, Callable[[], Any]], times: int = TIMES) -> tuple[dict[str, Any], dict[str, Times]]:
    """The last results and the times by name; all works are done once, then all of them again, on the same machine."""
    results: dict[str, Any] = {}
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(times):
        for name, work in works.items():
            results[name], took = timed(work)
            seconds[name].append(took)
    return results, {name: Times(tuple(runs)) for name, runs in seconds.items()}
