"""The worker's own user: it owns its private folder and nothing else, and cannot signal or trace the grader.

Does not protect files that everyone may read; the files wall does that.
"""

import ctypes
import os
import signal
from pathlib import Path

from autograder.worker.walls.plan import NotStanding, Plan

NAME = "own user"
HIGH, SLOTS, PIDS = 2_000_000_000, 32, 4_194_304
LOW, LOW_SPAN = 60_000, 5_000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS = 1, 4, 36, 38, 39


def prctl(option: int, value: int = 0) -> int:
    """Call prctl(2). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.prctl(option, value, 0, 0, 0)
    if result < 0:
        raise OSError(ctypes.get_errno(), "prctl")
    return result


def choose_uid(server: int, taken: set[int]) -> int | None:
    """A user id that no account and no other worker has; None without the right to change users."""
    if os.geteuid() != 0:
        return None
    base, span = (HIGH, PIDS * SLOTS) if _is_mapped(HIGH + PIDS * SLOTS) else (LOW, LOW_SPAN)
    candidates = (base + (server * SLOTS + slot) % span for slot in range(span))
    return next(uid for uid in candidates if uid not in taken)


def _is_mapped(uid: int) -> bool:
    """Whether this user namespace knows the user id."""
    lines = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    ranges = [[int(word) for word in line.split()] for line in lines]
    return any(start <= uid < start + count for start, _, count in ranges)


def become(uid: int) -> None:
    """Take on a user and a group of the same number, for good. Raises OSError."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def confine(plan: Plan) -> None:
    """Become the worker's user for good, and die with the fork server."""
    if plan.uid is not None:
        become(plan.uid)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_DUMPABLE, 0)


def check(plan: Plan) -> str:
    """The user is the chosen one, without groups and without a way back."""
    if plan.uid is None:
        raise NotStanding("the worker runs as the grader's user, because only root can give it another")
    if os.getresuid() != (plan.uid,) * 3 or os.getresgid() != (plan.uid,) * 3 or os.getgroups():
        raise NotStanding("the worker kept a user or a group of the grader")
    try:
        os.setuid(0)
    except OSError:
        return "a user of its own for every worker, no groups"
    raise NotStanding("the worker can become root again")
