"""Which walls this host grants: planned by probes, then raised and tried from inside by a fork made for this only."""

import json
import os
import socket
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from autograder.worker.walls import NotStanding, Plan, Wall, descriptors, files, identity, syscalls, try_walls

LEFTOVERS, GRADER = "nothing is left behind", "the grader is closed"


def plan_for(config: dict[str, Any]) -> Plan:
    """What should be possible here, before it is tried."""
    without = frozenset(config["without"])
    uid = None if identity.NAME in without else identity.choose_uid(os.getpid(), set())
    return Plan(
        home=config["trial_home"],
        uid=uid,
        files=frozenset() if files.NAME in without else _file_walls(uid, without),
        readable=tuple(config["readable"]),
        limits=config["limits"],
        grader=(os.getpid(), os.getppid()),
        without=without,
    )


def _file_walls(uid: int | None, without: frozenset[str]) -> frozenset[str]:
    """Landlock; a chroot where it costs nothing or nothing else is there; else no file at all."""
    ways = {"landlock"} if "landlock" not in without and files.has_landlock() else set()
    if uid is not None and "chroot" not in without and (not ways or not _can_read_python(uid)):
        ways.add("chroot")
    if not ways and syscalls.NAME not in without and syscalls.available():
        ways.add("closed")
    return frozenset(ways)


def may_chroot(plan: Plan) -> bool:
    """Whether a worker can be closed into its folder, where the plan for all of them is another."""
    usual = plan.uid is not None and "chroot" not in plan.without | plan.files and files.NAME not in plan.without
    return usual and _succeeds(partial(os.chroot, plan.home))


def _can_read_python(uid: int) -> bool:
    """Whether a worker's user could import a module that is not loaded yet."""

    def read() -> None:
        identity.become(uid)
        for path in files.python_files():
            Path(path).open("rb").close()

    return _succeeds(read)


def _succeeds(action: Callable[[], None]) -> bool:
    """Whether the action raises nothing in a fork of its own."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            action()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def try_plan(plan: Plan) -> list[Wall]:
    """Raise the walls in a fork, try them from inside, and say which stand."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            _report(theirs.fileno(), plan)
        finally:
            os._exit(0)
    theirs.close()
    with ours:
        data = b"".join(iter(lambda: ours.recv(2**16), b""))
    os.waitpid(pid, 0)
    walls = [Wall(**wall) for wall in json.loads(data or b"[]")]
    return [*(walls or [Wall("trial", False, "the trial of the walls crashed")]), _leftovers(plan)]


def _report(connection: int, plan: Plan) -> None:
    descriptors.place(connection, os.open(os.devnull, os.O_WRONLY))
    try:
        walls = [*try_walls(plan), _grader_is_closed(plan)]
    except BaseException as error:
        walls = [Wall("trial", False, f"{type(error).__name__}: {error}")]
    os.write(descriptors.CONNECTION, json.dumps([asdict(wall) for wall in walls]).encode())


def _grader_is_closed(plan: Plan) -> Wall:
    try:
        return Wall(GRADER, True, files.check_grader(plan))
    except NotStanding as reason:
        return Wall(GRADER, False, str(reason))


def _leftovers(plan: Plan) -> Wall:
    if plan.uid is not None:
        return Wall(LEFTOVERS, True, "everything of the worker's user is killed afterwards")
    if Path("/proc/self").is_dir():
        return Wall(LEFTOVERS, True, "everything below the fork server is killed afterwards")
    return Wall(LEFTOVERS, False, "without /proc a process in a session of its own may stay")
