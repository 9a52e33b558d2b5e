"""No descriptor, variable or terminal of the grader: a new session, stdin from /dev/null, output into the pipe.

Does not protect against what the fork server's memory holds: the worker is a fork of it (docs/security.md says what).
"""

import fcntl
import os
import sys
import tempfile

from autograder.worker.walls.plan import NotStanding, Plan

NAME = "descriptors and environment"
CONNECTION = 3
KEPT = {"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def place(connection: int, output: int) -> None:
    """Put the connection at 3 and the output at 1 and 2, and close everything else."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    # By way of high numbers, so that no source is overwritten before it is copied.
    sources = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100) for fd in (null, output, output, connection)]
    for target, fd in enumerate(sources):
        os.dup2(fd, target, inheritable=False)
    os.closerange(CONNECTION + 1, _highest())
    sys.stdin, sys.stdout, sys.stderr = (
        open(0, encoding="utf-8"),  # noqa: SIM115
        open(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace"),  # noqa: SIM115
        open(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace"),  # noqa: SIM115
    )


def confine(plan: Plan) -> None:
    """Clear the environment and enter the private folder."""
    os.environ.clear()
    os.environ.update(KEPT, HOME=plan.home, TMPDIR=plan.home)
    os.umask(0o077)
    os.chdir(plan.home)
    tempfile.tempdir = None  # it may have been looked up before the fork


def check(plan: Plan) -> str:
    """Only 0 to 3 are open, and the environment holds only what was put there."""
    extra = [fd for fd in range(CONNECTION + 1, 1024) if _is_open(fd)]
    if extra:
        raise NotStanding(f"descriptors {extra} are open in the worker")
    if set(os.environ) - set(KEPT) - {"HOME", "TMPDIR"}:
        raise NotStanding("the worker's environment is not empty")
    return "one connection, a cleared environment, no terminal"


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _highest() -> int:
    return min(os.sysconf("SC_OPEN_MAX"), 2**20)
