"""The fork server: loads torch and nothing secret, tries the walls once, forks a worker per request, watches, reaps.

It listens to the grader only; a worker has no way to speak to it. Its memory, which every worker inherits, holds the
modules of `preload`, this package and pskit as source text, the limits and the random name of a folder.
"""

import contextlib
import os
import select
import shutil
import signal
import socket
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from autograder.worker import child, control, preload, reap, watch
from autograder.worker.trial import may_chroot, plan_for, try_plan
from autograder.worker.walls import Plan, identity, syscalls

TICK = 0.05
SIGNALS = {
    signal.SIGSEGV: "crashed (segmentation fault)", signal.SIGABRT: "aborted", signal.SIGFPE: "crashed (arithmetic)",
    signal.SIGBUS: "crashed (bus error)", signal.SIGILL: "crashed (illegal instruction)",
    signal.SIGSYS: "made a system call of another architecture",
    signal.SIGKILL: "was killed by the system, most likely because memory ran out",
}  # fmt: skip


@dataclass
class Live:
    """A worker that has not been ended yet; `verdict` is why the watch killed it, `status` its wait status."""

    pid: int
    plan: Plan
    baseline: int
    status: int | None = None
    verdict: tuple[str, str] | None = None


def serve(connection: socket.socket, config: dict[str, Any]) -> None:
    """Load, try the walls, then answer the grader until it is gone."""
    missing = preload.load(config["packages"])
    with contextlib.suppress(OSError, AttributeError):
        identity.prctl(identity.PR_SET_CHILD_SUBREAPER, 1)
        identity.prctl(identity.PR_SET_DUMPABLE, 0)
    plan = plan_for(config)
    _give(plan)
    walls = try_plan(plan)
    control.send(connection, {"walls": [asdict(wall) for wall in walls], "missing": missing})
    # What stood once must stand in every worker.
    plan = replace(plan, optional=frozenset(wall.name for wall in walls if not wall.stands))
    Server(connection, plan, may_chroot(plan)).loop()
    # The grader removes its folder itself, unless it was killed.
    shutil.rmtree(Path(plan.home).parent, ignore_errors=True)


class Server:
    """The workers that live, and the loop that serves, watches and reaps them."""

    def __init__(self, connection: socket.socket, plan: Plan, may_chroot: bool) -> None:
        self._connection, self.plan = connection, plan
        self._seal = frozenset({"chroot"} if may_chroot else ())
        self._live: dict[int, Live] = {}

    def loop(self) -> None:
        """Until the grader closes its end; then every worker is killed."""
        while True:
            if select.select([self._connection], [], [], TICK if self._running() else None)[0]:
                try:
                    message, descriptors = control.receive(self._connection)
                    control.send(self._connection, self._answer(message, descriptors))
                except (EOFError, OSError):
                    break
            for live in self._running():
                self._look_after(live)
        for number in list(self._live):
            self._end({"id": number, "patience": 0.0})

    def _running(self) -> list[Live]:
        return [live for live in self._live.values() if live.status is None]

    def _answer(self, message: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        try:
            return self._fork(message, *descriptors) if message["do"] == "fork" else self._end(message)
        except OSError as error:  # no room for a process or a folder: the grader's trouble, not the server's end
            return {"error": f"{error.strerror}"}

    def _fork(self, message: dict[str, Any], connection: int, output: int) -> dict[str, Any]:
        files = self.plan.files | (self._seal if message["sealed"] else frozenset())
        plan = replace(self.plan, home=message["home"], uid=self._uid(), files=files)
        _give(plan)
        pid = os.fork()
        if pid == 0:
            child.start(connection, output, plan)
        os.close(connection)
        os.close(output)
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/oom_score_adj").write_text("1000", encoding="ascii")
        self._live[message["id"]] = Live(pid, plan, watch.usage([pid], 0).memory)
        return {"pid": pid, "uid": plan.uid}

    def _uid(self) -> int | None:
        taken = {live.plan.uid for live in self._live.values() if live.plan.uid is not None}
        return None if self.plan.uid is None else identity.choose_uid(os.getpid(), taken)

    def _end(self, message: dict[str, Any]) -> dict[str, Any]:
        """Kill the worker if it has not ended by itself within `patience`; say how it ended."""
        live = self._live.get(message["id"])
        if live is None:  # a worker of an earlier server, which died with it
            return {"reason": "was lost with its fork server", "cause": "ended"}
        deadline = time.monotonic() + message["patience"]
        while not _has_ended(live) and time.monotonic() < deadline:
            time.sleep(0.001)
        verdict = live.verdict or _verdict(live.status, live.plan)
        self._sweep(live)
        del self._live[message["id"]]
        return {"reason": verdict[0], "cause": verdict[1]}

    def _look_after(self, live: Live) -> None:
        """Kill a worker that uses too much, and what a worker that has ended leaves: it would hold the connection."""
        if not _has_ended(live):
            live.verdict = live.verdict or self._excess(live)
        if live.verdict is not None or live.status is not None:
            self._sweep(live)

    def _sweep(self, live: Live) -> None:
        if not _has_ended(live):
            reap.kill(live.pid)
            live.status = os.waitpid(live.pid, 0)[1]
        others = {other.pid for other in self._live.values() if other is not live and not _has_ended(other)}
        reap.sweep(live.plan.uid, others)

    def _excess(self, live: Live) -> tuple[str, str] | None:
        """What the worker uses too much of, or None."""
        limits = live.plan.limits
        used = watch.usage(self._processes(live), live.baseline)
        if used.memory > limits["memory"]:
            return f"needed more than {limits['memory'] // 2**20} MB of memory", "memory"
        if used.threads > limits["threads"]:
            return f"started more than {limits['threads']} threads or processes", "threads"
        size, count = watch.folder_size(live.plan.home, limits["files"])
        if size > limits["folder"] or count > limits["files"]:
            return f"wrote more than {limits['folder'] // 2**20} MB or {limits['files']} files", "disk"
        return None

    def _processes(self, live: Live) -> list[int]:
        if live.plan.stands(syscalls.NAME):
            return [live.pid]
        table = watch.processes()
        mine = {pid for pid, (_, uid) in table.items() if live.plan.uid is not None and uid == live.plan.uid}
        return [live.pid, *(mine | set(watch.descendants(live.pid, table))) - {live.pid}]


def _give(plan: Plan) -> None:
    """Make the private folder and what the grader has put there the worker's own."""
    if plan.uid is None:
        return
    for path in (plan.home, *(entry.path for entry in os.scandir(plan.home))):
        os.chown(path, plan.uid, plan.uid, follow_symlinks=False)


def _has_ended(live: Live) -> bool:
    if live.status is None:
        pid, status = os.waitpid(live.pid, os.WNOHANG)
        live.status = status if pid else None
    return live.status is not None


def _verdict(status: int | None, plan: Plan) -> tuple[str, str]:
    """The wait status in words, and its cause as in `Died`."""
    if status is None:
        return "closed its connection to the grader", "exit"
    code = os.waitstatus_to_exitcode(status)
    if code == child.NO_MEMORY:
        return "needed more memory than its process is given", "memory"
    if code >= 0:
        return f"ended itself with exit code {code}", "exit"
    if -code == signal.SIGXCPU:
        return f"used more than {plan.limits['cpu']} s of processor time", "cpu"
    cause = "killed" if -code == signal.SIGKILL else "signal"
    return SIGNALS.get(signal.Signals(-code), f"was ended by {signal.Signals(-code).name}"), cause
