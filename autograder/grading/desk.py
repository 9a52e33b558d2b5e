"""One question of one submission: its worker, what is left of its time, and what was called.

What came over the pipe is the student's word. Only two facts about a test are this side's own: whether anything of the
student's ran before something went wrong, and how long it took.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.grading.memory import grown, resident
from autograder.grading.report import Measure
from autograder.grading.sources import HiddenTestError
from autograder.worker import BadReply, Died, IsolationError, TimedOut, Worker, WorkerOutcome
from pskit.slicing import Piece

SHORTEST = 0.05  # seconds; below this no request is worth its start
LOADING = 30.0  # seconds for a question's definitions
RESTORING = 2.0  # seconds for taking provided functions back, which is a few assignments


class OutOfTime(Exception):
    """The question's time is used up; the attribute is all the seconds that it had."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the question's {seconds:.0f} s are used up")
        self.seconds = seconds


class LoadFailed(Exception):
    """The question's definitions could not be run; `cause` says why. It fails every test of the question."""

    def __init__(self, cause: WorkerOutcome) -> None:
        super().__init__(str(cause))
        self.cause = cause


class HostFailed(Exception):
    """This machine could not provide a worker; nothing is known about the submission."""


@dataclass
class Calls:
    """What one test did: the last call in words, how many there were, what came back last ("" before anything did)."""

    last: str = ""
    count: int = 0
    returned: str = ""
    ran: bool = False

    def in_words(self) -> str:
        """The last call, and the how manieth of its test it was."""
        return f"{self.last} (call {self.count} of this test)" if self.count > 1 else self.last


class Desk:
    """A worker for one question, forked when it is first needed and again after it was lost."""

    def __init__(self, fork: Callable[[], Worker], pieces: Sequence[Piece], seconds: float) -> None:
        self._fork, self._pieces, self.seconds = fork, pieces, seconds
        self._left, self._test_left = seconds, seconds
        self._worker: Worker | None = None
        self._failed: LoadFailed | None = None
        self._provided = False
        self.host_failed: HostFailed | None = None
        self.calls = Calls()
        self.measures: dict[str, Measure] = {}
        self.memory, self._start_memory = 0, 0

    def begin(self, timeout: float) -> None:
        """A test starts; all of its calls together may take `timeout` seconds."""
        self._test_left, self.calls = timeout, Calls()

    def end(self) -> None:
        """A test ends: provided functions go, or the worker with them, on the question's time."""
        if self._worker is None or not self._provided:
            return
        self._provided, started = False, time.monotonic()
        try:
            self._worker.restore(timeout=RESTORING)
        except (WorkerOutcome, IsolationError):
            self.close()
        finally:
            self._charge(time.monotonic() - started)

    def close(self) -> None:
        """The worker goes, with everything in it."""
        worker, self._worker = self._worker, None
        if worker is not None:
            self.memory = max(self.memory, grown(worker.pid, self._start_memory))
            with contextlib.suppress(IsolationError):  # then the next fork says so
                worker.close()

    @property
    def left(self) -> float:
        """Seconds that the question has left."""
        return self._left

    def ask(self, what: str, request: Callable[[Worker, float], Any]) -> Any:
        """Send one request of the running test. `what` describes it to the student."""
        worker = self._ready()
        self.calls.last, self.calls.count, self.calls.ran = what, self.calls.count + 1, True
        return self._timed(lambda seconds: request(worker, seconds))

    def prepare(self, request: Callable[[Worker, float], None]) -> None:
        """Send one request that is no call: known-good functions, which stay until the end of the test."""
        worker = self._ready()
        self._provided = True
        self._timed(lambda seconds: request(worker, seconds))

    def _ready(self) -> Worker:
        if self._failed is not None:
            raise self._failed
        if self._worker is None:
            self._worker = self._new_worker()
            self._start_memory = resident(self._worker.pid)
            self.calls.ran = True
            self._load(self._worker)
        return self._worker

    def _load(self, worker: Worker) -> None:
        """Run the definitions, on the question's time and not on the test's."""
        left, self._test_left = self._test_left, LOADING
        try:
            self._timed(lambda seconds: worker.load(self._pieces, timeout=seconds))
        except WorkerOutcome as cause:
            self.close()
            failed = LoadFailed(cause)
            if not (isinstance(cause, Died) and cause.cause == "killed"):  # the next test may have better luck
                self._failed = failed
            raise failed from None
        finally:
            self._test_left = left

    def _new_worker(self) -> Worker:
        try:
            return self._fork()
        except (Died, IsolationError) as error:
            raise self._host_fails(error) from error

    def _host_fails(self, error: Exception) -> HostFailed:
        self.host_failed = HostFailed(str(error))
        return self.host_failed

    def _timed(self, request: Callable[[float], Any]) -> Any:
        allowed = min(self._test_left, self._left)
        if allowed < SHORTEST:
            raise OutOfTime(self.seconds) if self._left < SHORTEST else TimedOut(allowed)
        started = time.monotonic()
        try:
            return request(allowed)
        except WorkerOutcome as outcome:
            self._lose(outcome)
            raise
        except IsolationError as error:
            raise self._host_fails(error) from error
        except (TypeError, ValueError) as error:
            if self.calls.returned:  # what cannot be sent may stem from the student's own result
                raise
            raise HiddenTestError(str(error)) from error
        finally:
            self._charge(time.monotonic() - started)

    def _charge(self, seconds: float) -> None:
        self._left -= seconds
        self._test_left -= seconds

    def _lose(self, outcome: WorkerOutcome) -> None:
        lost = isinstance(outcome, TimedOut | Died) or (isinstance(outcome, BadReply) and not outcome.usable)
        if lost:
            self.close()
