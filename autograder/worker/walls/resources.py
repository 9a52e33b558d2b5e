"""Resource limits of one worker.

Does not bound shared memory and the sum over several processes by itself; the fork server's watch does (watch.py).
"""

import resource
from pathlib import Path

from autograder.worker.walls.plan import NotStanding, Plan

NAME = "resource limits"


def _wanted(plan: Plan) -> dict[int, int]:
    limits = plan.limits
    return {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: limits["cpu"],
        resource.RLIMIT_FSIZE: limits["file"],
        resource.RLIMIT_NOFILE: limits["descriptors"],
        resource.RLIMIT_MEMLOCK: 2**16,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_RTPRIO: 0,
        # Counted per user: of use only where the user is the worker's own.
        **({resource.RLIMIT_NPROC: limits["threads"]} if plan.uid is not None else {}),
    }


def confine(plan: Plan) -> None:
    """Lower every limit, soft and hard; never above what the grader has itself."""
    for kind, value in _wanted(plan).items():
        # A moment between the processor time's signal, which says why, and the kill, which cannot be ignored.
        _lower(kind, value, value + (kind == resource.RLIMIT_CPU))
    # Private memory, torch's large but read-only maps excepted: counted from what the fork server has loaded.
    most = _data_now() + plan.limits["memory"]
    _lower(resource.RLIMIT_DATA, most, most)


def _lower(kind: int, soft: int, hard: int) -> None:
    now = resource.getrlimit(kind)[1]
    highest = hard if now == resource.RLIM_INFINITY else min(hard, now)
    resource.setrlimit(kind, (min(soft, highest), highest))


def _data_now() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))


def check(plan: Plan) -> str:
    """The kernel confirms every limit."""
    for kind, value in _wanted(plan).items():
        if not 0 <= resource.getrlimit(kind)[0] <= value:
            raise NotStanding("a resource limit could not be lowered")
    if resource.getrlimit(resource.RLIMIT_DATA)[1] == resource.RLIM_INFINITY:
        raise NotStanding("memory is not limited")
    return f"memory {plan.limits['memory'] // 2**20} MB, {plan.limits['threads']} threads, no core files"
