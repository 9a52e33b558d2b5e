"""The end of a worker: nothing that it started stays, daemons in sessions of their own included.

With a user of its own, everything of that user is killed, which no process can escape. Without one, everything below
the fork server is killed; orphans fall to it because it is their subreaper. A process that the grader's own user
started elsewhere, through a service that runs already, would not be found that way.
"""

import contextlib
import os
import signal
import time

from autograder.worker import watch
from autograder.worker.walls import identity

ATTEMPTS = 200


def kill(pid: int) -> None:
    """Kill one process if it is still there."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def sweep(uid: int | None, others: set[int]) -> None:
    """Kill what an ended worker has left; `others` are the live workers' ids. Reaps what has ended."""
    for _ in range(ATTEMPTS):
        _kill_user(uid) if uid is not None else _kill_below(others)
        collect(others)
        if not _left(uid, others):
            return
        time.sleep(0.005)


def collect(others: set[int]) -> None:
    """Reap orphans that have ended, but no live worker: its exit status is still wanted."""
    if not hasattr(os, "waitid"):
        return
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid in others:
            return
        os.waitpid(ended.si_pid, 0)


def _kill_user(uid: int) -> None:
    """Kill everything of a user by a helper that becomes this user: kill(-1) leaves no time to fork again."""
    helper = os.fork()
    if helper == 0:
        try:
            identity.become(uid)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(helper, 0)


def _kill_below(others: set[int]) -> None:
    for pid in _below(others):
        kill(pid)


def _left(uid: int | None, others: set[int]) -> bool:
    if uid is None:
        return bool(_below(others))
    return any(user == uid for _, user in watch.processes().values())


def _below(others: set[int]) -> list[int]:
    """What lives below the fork server, the live workers and their processes left out."""
    table = watch.processes()
    spared = others | {pid for other in others for pid in watch.descendants(other, table)}
    return [pid for pid in watch.descendants(os.getpid(), table) if pid not in spared]
