"""Grading processes of this machine, each with a fork server of its own. One that is lost costs its submission a retry.

A submission that loses two processes is left to a person; all others go on. Processes end with the one that started
them: they wait for its next word, and write nothing themselves.
"""

import contextlib
import multiprocessing
import signal
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

from autograder.batch.job import Answer, Job, answer
from autograder.course import Refusal
from autograder.grading.setting import Setting
from autograder.worker import IsolationError
from pskit.notebook import BadRelease

SPAWN = multiprocessing.get_context("spawn")  # a fork would copy threads and torch's state
TRIES = 2
SLACK = 300.0  # seconds beyond a submission's own limit, for a second try after a failing host, and for starting


class Bench:
    """One process and the submission that it has."""

    def __init__(self, setting: Setting) -> None:
        self.connection, theirs = SPAWN.Pipe()
        self._process = SPAWN.Process(target=_work, args=(theirs, setting), daemon=True)
        self._process.start()
        theirs.close()
        self.job: Job | None = None
        self._until = float("inf")

    def give(self, job: Job, seconds: float) -> None:
        """Hand out a submission; after `seconds` the process counts as lost."""
        self.job, self._until = job, time.monotonic() + seconds
        with contextlib.suppress(OSError):  # a process that has gone is found by `wait`
            self.connection.send(job)

    @property
    def overdue(self) -> bool:
        """Whether its time is up."""
        return time.monotonic() > self._until

    def take(self) -> Answer | None:
        """What it says about its submission; None where it is gone. Raises Refusal where it cannot grade anything."""
        try:
            said: Answer | str = self.connection.recv()
        except (EOFError, OSError):
            return None
        if isinstance(said, str):
            raise Refusal(f"grade: {said}")
        return said

    def end(self) -> None:
        """The process goes."""
        self.connection.close()
        self._process.join(timeout=2.0)  # an idle one leaves by itself, and its fork server with it
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


class Pool:
    """Some benches; a context manager."""

    def __init__(self, setting: Setting, size: int) -> None:
        self._setting, self._size = setting, size
        self._benches: list[Bench] = []

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *error: object) -> None:
        for bench in self._benches:
            bench.end()

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Answer]]:
        """Every submission with its answer, as they are done."""
        waiting, lost = deque(jobs), Counter[str]()
        self._benches = [Bench(self._setting) for _ in range(min(self._size, len(waiting)))]
        while waiting or self._busy():
            for bench in self._benches:
                if bench.job is None and waiting:
                    bench.give(waiting.popleft(), self._setting.time_limit + SLACK)
            for bench in self._ready():
                job, said = bench.job, bench.take() if not bench.overdue else None
                assert job is not None, "a busy bench has a submission"
                bench.job = None
                if said is None:
                    self._replace(bench)
                    lost[job.name] += 1
                    if lost[job.name] < TRIES:
                        waiting.append(job)
                        continue
                    said = Answer(failure=f"The process that graded it ended, {TRIES} times. Is there enough memory?")
                yield job, said

    def _busy(self) -> list[Bench]:
        return [bench for bench in self._benches if bench.job is not None]

    def _ready(self) -> list[Bench]:
        busy = self._busy()
        heard: list[Any] = wait([bench.connection for bench in busy], timeout=1.0)
        return [bench for bench in busy if bench.connection in heard or bench.overdue]

    def _replace(self, bench: Bench) -> None:
        bench.end()
        self._benches[self._benches.index(bench)] = Bench(self._setting)


def _work(connection: Connection, setting: Setting) -> None:
    """A grading process: until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    try:
        with setting.grader() as grader:
            while True:
                job: Job = connection.recv()
                connection.send(answer(grader, job.path, setting.questions))
    except (BadRelease, IsolationError, Refusal) as error:
        with contextlib.suppress(OSError):
            connection.send(str(error))
    except (EOFError, OSError):
        pass
