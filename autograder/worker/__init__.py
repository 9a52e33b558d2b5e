"""Where student code runs: fork server, walls, protocol.

    with ForkServer(Limits()) as server:
        worker = server.fork(files={"ps1_gmm.safetensors": data})
        worker.load(pieces)
        value = worker.call("gaussian_logpdf", (X, mu, Sigma), timeout=20.0)

What stands between student code and the grader, and what does not, is `server.walls` and docs/security.md.
"""

from autograder.worker.client import ForkServer, Piece, Worker
from autograder.worker.limits import Limits
from autograder.worker.outcomes import BadReply, Died, Frame, Handle, IsolationError, Raised, TimedOut, WorkerOutcome
from autograder.worker.walls.plan import Wall

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
