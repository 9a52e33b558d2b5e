"""Where student code runs: fork server, walls, protocol.

    with ForkServer(Limits()) as server:
        worker = server.fork(files={"ps1_gmm.safetensors": data})
        worker.load(pieces)
        value = worker.call("gaussian_logpdf", (X, mu, Sigma), timeout=20.0)

What stands between student code and the grader, and what does not, is `server.walls` and docs/security.md.
"""

from typing import TYPE_CHECKING, Any

from autograder.worker.client import ForkServer
from autograder.worker.limits import Limits
from autograder.worker.outcomes import BadReply, Died, Frame, Handle, IsolationError, Raised, TimedOut, WorkerOutcome
from autograder.worker.walls.plan import Wall

if TYPE_CHECKING:
    from autograder.worker.remote import Piece, Worker

__all__ = [
    "BadReply",
    "Died",
    "ForkServer",
    "Frame",
    "Handle",
    "IsolationError",
    "Limits",
    "Piece",
    "Raised",
    "TimedOut",
    "Wall",
    "Worker",
    "WorkerOutcome",
]


def __getattr__(name: str) -> Any:
    """`Worker` and `Piece` come with torch, and a fork server can be started before that is loaded."""
    if name not in ("Piece", "Worker"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from autograder.worker import remote

    return getattr(remote, name)
