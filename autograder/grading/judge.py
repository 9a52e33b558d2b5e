"""How a hidden test ended, made into an outcome.

A course's fault costs no points, so it must never be a student's to choose. It is one only where this side knows that
no code and no result of the student's can have caused it: nothing of theirs had run yet, or the error is of a kind
that plain data cannot cause. Everything else that goes wrong after a student's result came back costs the test, and
staff are told, because the test may be to blame.
"""

import re
import traceback
from collections.abc import Sequence

import pytest

from autograder.grading.desk import LOADING, Calls, HostFailed, LoadFailed, OutOfTime
from autograder.grading.disclosure import Disclosure
from autograder.grading.outcomes import (
    BadAnswer,
    CouldNotBeGraded,
    Different,
    Killed,
    NotDefined,
    NotHandedIn,
    NotImplementedYet,
    Outcome,
    ProcessEnded,
    QuestionOutOfTime,
    RaisedError,
    TooMuchMemory,
    TooSlow,
    Unusable,
)
from autograder.grading.sources import HiddenTestError
from autograder.grading.student import NotSubmitted, Unsound
from autograder.testing.expect import Unexpected
from autograder.worker import BadReply, Died, Raised, TimedOut, WorkerOutcome

# Plain data cannot make a hidden test raise these: the test is wrong, or its files are missing.
COURSE_ERRORS = (HiddenTestError, HostFailed, NameError, ImportError, OSError, SyntaxError)
ABSENT_NAME = re.compile(r"(?:name '|the notebook does not define )([^\W\d]\w{0,80})")
IN_PLACE = "one of the variables needed for gradient computation has been modified by an inplace operation"
NOT_DIFFERENTIABLE = (
    "what your code returned cannot be differentiated: an in-place operation (`+=`, `mul_`, `x[i] = ...`) changed a "
    "tensor that the backward pass needs"
)
MEGABYTES = re.compile(r"more than (\d{1,7}) MB")


class Judge:
    """For one question of one submission: what may be disclosed, and the slice's sentences."""

    def __init__(self, disclosure: Disclosure, notes: Sequence[str]) -> None:
        self._disclosure, self._notes = disclosure, notes

    def outcome(self, error: BaseException, calls: Calls, seconds: float) -> Outcome:
        """What the error that ended a test means."""
        if isinstance(error, LoadFailed):
            return self._of_worker(error.cause, calls, LOADING, loading=True)
        if isinstance(error, WorkerOutcome):
            return self._of_worker(error, calls, seconds, loading=False)
        if isinstance(error, OutOfTime):
            return QuestionOutOfTime(error.seconds)
        if isinstance(error, NotSubmitted):
            return NotHandedIn(error.file)
        if isinstance(error, Unsound):
            return BadAnswer(error.sentence)
        return _of_test(error, calls)

    def _of_worker(self, outcome: WorkerOutcome, calls: Calls, seconds: float, loading: bool) -> Outcome:
        match outcome:
            case Raised():
                return self._raised(outcome, calls, loading)
            case TimedOut():  # definitions have what is left of the question's time, at most LOADING
                return TooSlow(round(outcome.seconds, 1) if loading else seconds)
            case Died(cause="killed"):
                return Killed(f"its process {outcome.reason}; unless the code does this to itself, grade again")
            case Died(cause="memory"):
                return _memory(outcome.reason)
            case Died():
                return ProcessEnded(outcome.reason)
            case BadReply():
                return BadAnswer(outcome.sentence)
        return ProcessEnded("it gave no answer")

    def _raised(self, error: Raised, calls: Calls, loading: bool) -> Outcome:
        known, place = self._disclosure, self._disclosure.place(error.frames)
        if error.kind == "MemoryError":
            return TooMuchMemory(None)
        if error.not_implemented is not None or (error.kind == "NotImplementedError" and error.origin == "student"):
            return NotImplementedYet(known.stub(error.not_implemented or ""))
        if error.kind == "NameError" and (name := self._absent(error.text)):
            return NotDefined(name, self._note_on(name), place)
        if error.origin == "probe" and place is None:
            if error.text.startswith(IN_PLACE):
                return Different("value", NOT_DIFFERENTIABLE)
            return Unusable(calls.returned or "something else", f"in a probe: {error.kind}: {error.text}")
        text = known.text(error.text) if error.origin != "student" else None
        return RaisedError(known.kind(error.kind), place, text, loading)

    def _absent(self, text: str) -> str | None:
        match = ABSENT_NAME.match(text)
        return self._disclosure.name(match[1]) if match else None

    def _note_on(self, name: str) -> str:
        if name in self._disclosure.asked:
            return "It is asked for: keep the name that the notebook gives it, in a cell that Python can read."
        return next((note for note in self._notes if re.search(rf"\b{re.escape(name)}\b", note)), "")


def _memory(reason: str) -> Outcome:
    match = MEGABYTES.search(reason)
    return TooMuchMemory(int(match[1]) if match else None)


def _of_test(error: BaseException, calls: Calls) -> Outcome:
    """An error of the hidden test's own process: an expectation that does not hold, or a mistake."""
    misspelt = isinstance(error, COURSE_ERRORS) and not isinstance(error, UnboundLocalError)  # data can cause that one
    if not calls.ran or misspelt:
        return CouldNotBeGraded(account(error))
    if isinstance(error, Unexpected):
        return Different(error.aspect, error.what)
    if isinstance(error, AssertionError | pytest.fail.Exception):
        return Different("value", "wrong value")
    return Unusable(calls.returned or "something else", account(error))


def account(error: BaseException) -> str:
    """For staff: the error, and the last line of the hidden tests that it passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    at = next((frame for frame in reversed(frames) if "test_" in frame.filename.rpartition("/")[2]), None)
    where = f" (line {at.lineno} of {at.filename.rpartition('/')[2]})" if at else ""
    return f"{type(error).__name__}: {error}{where}"
