"""The fork server started before the grader imports its own libraries: both take seconds, and this way at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from autograder.course import Refusal
from autograder.worker import ForkServer, IsolationError


@contextmanager
def early_server(isolation: str = "auto") -> Iterator[ForkServer]:
    """A fork server that loads in the background and ends with the block. Raises Refusal where a wall is missing."""
    server = ForkServer(isolation=isolation)
    try:
        server.__enter__()
    except IsolationError as error:
        raise Refusal(f"grade: {error}") from None
    try:
        yield server
    finally:
        server.__exit__(None, None, None)
