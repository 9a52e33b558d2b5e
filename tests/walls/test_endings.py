"""What a worker leaves behind, what it could find of the grader, and what holds where a wall is missing."""

import os
import platform
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from autograder.worker import Died, ForkServer, IsolationError, TimedOut, Worker, child, trial, watch
from autograder.worker.walls import Plan
from tests.walls.inside import LIMITS, READS, ROOT, Code, need, refused, run

pytestmark = pytest.mark.alone


def test_nothing_secret_is_in_the_servers_memory_or_arguments(server: ForkServer, worker: Worker) -> None:
    """No module of grading, testing or hidden; no path of ours; nothing of the configuration's secrets."""
    modules = run(worker, "return sorted(m for m in sys.modules if m.startswith(('autograder', 'solutions')))")
    rooms = {name.split(".")[1] for name in modules if "." in name}
    assert rooms == {"worker"}
    secrets = [str(ROOT / "autograder"), str(ROOT / "solutions"), "hidden_seed", "test_q1_gaussian"]
    memory = _memory_of(server.pid)
    command = Path(f"/proc/{server.pid}/cmdline").read_bytes() + Path(f"/proc/{server.pid}/environ").read_bytes()
    for secret in secrets:
        assert secret.encode() not in command
        assert not any(secret.encode() in block for block in memory), f"{secret} is in the fork server's memory"


def _memory_of(pid: int) -> list[bytes]:
    """The private, writable memory of a process."""
    blocks = []
    try:
        with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
            for line in maps:
                span, rights = line.split()[:2]
                if rights == "rw-p":
                    start, end = (int(word, 16) for word in span.split("-"))
                    memory.seek(start)
                    blocks.append(memory.read(end - start))
    except PermissionError:
        pytest.skip("only root may read the fork server's memory")
    return blocks


def test_the_scan_of_memory_would_find_a_secret(server: ForkServer) -> None:
    assert any(b"autograder.worker.server" in block for block in _memory_of(server.pid))


def test_ending_a_worker_leaves_no_process_and_no_folder(server: ForkServer) -> None:
    before = _children(server.pid)
    workers = [server.fork(files={"x": b"1"}) for _ in range(3)]
    assert len(_children(server.pid)) == len(before) + 3
    for worker in workers:
        worker.close()
        assert not worker.home.exists()
    assert _children(server.pid) == before


def _children(pid: int) -> list[int]:
    return sorted(watch.descendants(pid, watch.processes()))


ORPHAN = """
import os, sys
from pathlib import Path
from autograder.worker import ForkServer
class Code:
    source, filename, first_line = "import time\\ndef f(): time.sleep(600)", "cell 1", 1
with ForkServer() as server:
    worker = server.fork()
    worker.load([Code])
    print(server.pid, worker.pid, worker.home.parent, flush=True)
    worker.call("f", timeout=600)
"""


def test_a_grader_that_is_killed_leaves_nothing() -> None:
    """The platform's own time limit kills the grader without warning."""
    with subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, text=True, cwd=ROOT) as grader:
        assert grader.stdout is not None
        server, worker, base = grader.stdout.readline().split()
        grader.kill()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and {int(server), int(worker)} & set(watch.processes()):
        time.sleep(0.05)
    assert not {int(server), int(worker)} & set(watch.processes())
    assert not Path(base).exists()


DAEMON = """
import os, time
def f(depth):
    for _ in range(depth):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.setsid()
                while True: time.sleep(60)
            os._exit(0)
    return os.getuid()
def bomb():
    while True:
        try: os.fork()
        except OSError: pass
"""


@pytest.mark.skipif(platform.system() != "Linux", reason="needs /proc")
@pytest.mark.parametrize("without", [("system calls",), ("system calls", "own user")], ids=["by user", "by descent"])
def test_daemons_and_fork_bombs_do_not_outlive_their_worker(without: tuple[str, ...]) -> None:
    """Were the system-call wall missing, everything of the worker's user, or below the server, would be killed."""
    with ForkServer(LIMITS, without=without) as server:
        bystander = server.fork()
        bystander.load([Code("def f(): return 1")])
        with server.fork() as worker:
            worker.load([Code(DAEMON)])
            worker.call("f", (5,))
            assert len(_children(server.pid)) >= 7
        assert len(_children(server.pid)) == 1, "only the bystander is left"
        with server.fork() as worker:
            worker.load([Code(DAEMON)])
            with pytest.raises((Died, TimedOut)):
                worker.call("bomb", timeout=3.0)
        assert len(_children(server.pid)) == 1
        assert bystander.call("f") == 1


@pytest.mark.parametrize(
    ("without", "way"),
    [(("landlock",), "chroot"), (("chroot",), "Landlock"), (("landlock", "chroot"), "no file can be opened"),
     (("landlock", "own user"), "no file can be opened")],
)  # fmt: skip
def test_each_way_of_closing_the_files_holds_alone(without: tuple[str, ...], way: str) -> None:
    with ForkServer(LIMITS, without=without) as server, server.fork() as worker:
        need(server, "files", "system calls")
        details = {wall.name: wall.detail for wall in server.walls}
        if way not in details["files"]:
            pytest.skip(f"this host has no {way}")
        for path in READS:
            refused(worker, "open(args[0], 'rb').read(1)", path)
        refused(worker, "open(args[0], 'wb')", f"/tmp/{os.urandom(8).hex()}")
        assert run(worker, "import torch\nreturn float(torch.ones(3).sum())") == 3.0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may close a worker into its folder")
def test_a_sealed_worker_sees_no_file_of_pythons_library() -> None:
    """Were the others to read it (Landlock alone), it could ask for no time of access: that is a way to tell."""
    with ForkServer(LIMITS) as server:
        with server.fork(sealed=True) as worker:
            for path in (os.__file__, torch.__file__, "/usr/lib", "/dev/null"):
                refused(worker, "os.stat(args[0])", path)
            assert run(worker, "import torch, tempfile\nreturn float(torch.ones(3).sum())") == 3.0
        details = {wall.name: wall.detail for wall in server.walls}
        if "chroot" not in details["files"]:
            with server.fork() as open_one:
                assert run(open_one, "return os.stat(args[0]).st_size", os.__file__) > 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may close a worker into its folder")
def test_a_worker_is_sealed_where_the_others_can_read_the_library() -> None:
    """In a container every user can read Python: here a server whose plan is Landlock alone."""
    plan = Plan("/tmp", 60_001, frozenset({"landlock"}), (), LIMITS.plain())
    assert trial.may_chroot(plan)
    assert not trial.may_chroot(replace(plan, uid=None)), "without root nobody may"
    assert not trial.may_chroot(replace(plan, files=frozenset({"chroot"}))), "every worker is closed in already"


def test_strict_isolation_refuses_a_host_that_lacks_a_wall() -> None:
    with (
        pytest.raises(IsolationError, match=r"lacks: .*system calls"),
        ForkServer(isolation="strict", without=("system calls",)),
    ):
        pass


def test_a_missing_wall_is_said_and_grading_goes_on() -> None:
    with ForkServer(without=("system calls", "own user", "files")) as server, server.fork() as worker:
        missing = {wall.name for wall in server.walls if not wall.stands}
        assert {"system calls", "own user", "files"} <= missing
        assert run(worker, "return 1") == 1


def test_a_wall_that_falls_in_a_worker_stops_it(tmp_path: Path) -> None:
    """A wall that stood in the trial must stand in every worker: here there is no folder to enter."""
    plan = Plan(str(tmp_path / "gone"), None, frozenset(), (), LIMITS.plain())
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pid = os.fork()
        if pid == 0:
            child.start(theirs.fileno(), os.open(os.devnull, os.O_WRONLY), plan)
        theirs.close()
        assert ours.recv(1) == b"", "it must end before it says that its walls are up"
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == child.WALL_FELL


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives the folder away before it forks")
def test_no_room_for_a_worker_is_not_the_students_fault() -> None:
    with ForkServer(LIMITS) as server:
        assert server.walls
        with pytest.raises(IsolationError, match="could not make a worker: No such file"):
            server.request({"do": "fork", "id": 10**6, "home": "/not-there", "sealed": False}, (0, 0))
        with server.fork() as worker:
            assert run(worker, "return 1") == 1
