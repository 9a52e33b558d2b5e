"""Every wall, attacked from inside a worker. Where the host lacks a wall, its tests are skipped and say so."""

import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder.worker import Died, ForkServer, IsolationError, Limits, Raised, TimedOut, Worker, child, trial, watch
from autograder.worker.client import remove
from autograder.worker.walls import Plan

MIB = 2**20
ROOT = Path(__file__).resolve().parents[1]
LIMITS = Limits(memory=256 * MIB, folder=16 * MIB, file=8 * MIB, files=200, threads=32)
pytestmark = pytest.mark.alone
WALLS = (
    "own user", "files", "system calls", "no new privileges", "resource limits", "descriptors and environment",
    "the grader is closed", "nothing is left behind",
)  # fmt: skip


@dataclass(frozen=True)
class Code:
    """A piece as the slicer gives it."""

    source: str
    filename: str = "cell 1"
    first_line: int = 1


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with ForkServer(LIMITS) as server:
        yield server


@pytest.fixture
def worker(server: ForkServer) -> Iterator[Worker]:
    with server.fork() as worker:
        yield worker


def need(server: ForkServer, *names: str) -> None:
    for wall in server.walls:
        if wall.name in names and not wall.stands:
            pytest.skip(f"this host lacks {wall.name}: {wall.detail}")


def run(worker: Worker, body: str, *args: object, timeout: float = 30.0) -> Any:
    """Call a function of these lines in the worker."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    worker.load([Code(f"import os, sys, ctypes, socket, time\ndef f(*args):\n{lines}")])
    return worker.call("f", args, timeout=timeout)


def refused(worker: Worker, body: str, *args: object) -> None:
    """The lines raise an OSError."""
    with pytest.raises(Raised) as caught:
        run(worker, body, *args)
    kinds = ("PermissionError", "OSError", "FileNotFoundError", "BlockingIOError", "NotADirectoryError", "gaierror",
             "ModuleNotFoundError")  # fmt: skip
    assert caught.value.kind in kinds, caught.value


def test_every_wall_is_reported_with_a_sentence(server: ForkServer) -> None:
    assert sorted(wall.name for wall in server.walls) == sorted(WALLS)
    assert all(wall.detail for wall in server.walls)


@pytest.mark.skipif(os.geteuid() != 0 or platform.system() != "Linux", reason="only root on Linux has every wall")
def test_root_on_linux_has_every_wall(server: ForkServer) -> None:
    assert [wall for wall in server.walls if not wall.stands] == []


READS = ["/etc/passwd", "/proc/1/environ", "/proc/self/environ", "/proc/self/maps", "/proc/self/mem", "/proc/net/tcp",
         str(ROOT / "pyproject.toml"), str(ROOT / "autograder" / "__init__.py"), "/sys/kernel/notes"]  # fmt: skip


@pytest.mark.parametrize("path", READS)
def test_files_outside_its_folder_cannot_be_read(server: ForkServer, worker: Worker, path: str) -> None:
    need(server, "files")
    refused(worker, "open(args[0], 'rb').read(1)", path)


@pytest.mark.parametrize("folder", ["/", "/tmp", "/proc", "/home", str(ROOT), str(ROOT / "autograder" / "hidden")])
def test_folders_outside_its_own_cannot_be_listed(server: ForkServer, worker: Worker, folder: str) -> None:
    need(server, "files")
    if folder == "/" and run(worker, "return os.stat('/').st_ino == os.stat(os.environ['HOME']).st_ino"):
        assert run(worker, "return os.listdir('/')") == [], "a chroot shows its own empty folder"
        return
    refused(worker, "os.listdir(args[0])", folder)


@pytest.mark.parametrize("path", ["/tmp/x", "/var/tmp/x", "/dev/shm/x", str(ROOT / "x"), "/dev/mem"])
def test_nothing_can_be_written_outside_its_folder(server: ForkServer, worker: Worker, path: str) -> None:
    need(server, "files")
    refused(worker, "open(args[0], 'wb')", path)
    assert not (ROOT / "x").exists()


def test_its_own_folder_can_be_used(worker: Worker) -> None:
    assert run(worker, """
import tempfile
with tempfile.TemporaryFile() as t: t.write(b'x')
open('y', 'w').write('z')
return open('y').read()
""") == "z"  # fmt: skip


def test_its_folder_is_closed_to_other_workers(server: ForkServer, worker: Worker) -> None:
    need(server, "files", "own user")
    with server.fork(files={"secret.txt": b"1"}) as other:
        refused(worker, "open(args[0])", str(other.home / "secret.txt"))
        refused(worker, "os.listdir(args[0])", str(other.home))


@pytest.mark.parametrize(
    "body",
    [
        "os.symlink('/etc/passwd', 'link')\nopen('link')",
        "os.link('/etc/passwd', 'link')",
        "os.mkfifo('pipe')",
        "os.mknod('device', 0o600 | 0o60000, os.makedev(8, 0))",
        "os.chroot('.')",
        "os.chmod('.', 0o777)",
        "os.utime('.')",
        "os.setxattr('.', 'user.x', b'y')",
        "os.truncate('/etc/passwd', 0)",
        "os.open('.', os.O_RDONLY | os.O_DIRECTORY)\nos.open('../../../etc/passwd', os.O_RDONLY)",
    ],
)
def test_no_way_around_the_folder(server: ForkServer, worker: Worker, body: str) -> None:
    need(server, "files", "system calls")
    refused(worker, body)


def test_no_descriptor_of_the_grader_is_open(worker: Worker) -> None:
    body = """
def is_open(fd):
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
return [fd for fd in range(5000) if is_open(fd)], os.isatty(0), sys.stdin.read()
"""
    assert run(worker, body) == ([0, 1, 2, 3], False, "")


def test_the_environment_is_cleared(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    with ForkServer(LIMITS) as server, server.fork() as fresh:
        names = run(fresh, "return sorted(os.environ), os.getcwd() == os.environ['HOME']")
    assert names == (
        ["HOME", "LANG", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONDONTWRITEBYTECODE", "TMPDIR"], True
    )  # fmt: skip


def test_the_user_is_its_own(server: ForkServer, worker: Worker) -> None:
    need(server, "own user")
    users, groups = run(worker, "return os.getresuid() + os.getresgid(), os.getgroups()")
    assert len(set(users)) == 1
    assert users[0] >= 60_000
    assert groups == []
    with server.fork() as other:
        assert run(other, "return os.getuid()") != users[0]
    refused(worker, "os.setuid(0)")


PROCESSES = {
    "fork": "os.fork()",
    "spawn": "os.posix_spawn('/bin/sh', ['sh'], {})",
    "exec": "os.execv('/bin/sh', ['sh'])",
    "a shell": "import subprocess; subprocess.run(['/bin/sh', '-c', 'true'], check=True)",
    "a pool": "import multiprocessing as m; m.get_context('fork').Process(target=print).start()",
    "the grader": "os.kill(os.getppid(), 9)",
    "everyone": "os.kill(-1, 9)",
    "the group": "os.kill(0, 9)",
    "init": "os.kill(1, 0)",
}


@pytest.mark.parametrize("body", PROCESSES.values(), ids=PROCESSES.keys())
def test_no_process_can_be_started_or_signalled(server: ForkServer, worker: Worker, body: str) -> None:
    need(server, "system calls")
    refused(worker, body)


@pytest.mark.parametrize("family", range(46), ids=lambda number: f"family {number}")
def test_no_socket_of_any_family_can_be_made(server: ForkServer, worker: Worker, family: int) -> None:
    need(server, "system calls")
    assert run(worker, """
refused = []
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
    try:
        socket.socket(args[0], kind).close()
    except OSError as error:
        refused.append(error.errno)
return refused
""", family) == [1] * 4  # fmt: skip


NETWORK = {
    "a pair": "socket.socketpair()",
    "a name": "socket.getaddrinfo('example.org', 80)",
    "an abstract socket": "s = socket.socket(fileno=3)\ntry: s.connect('\\0grader')\nfinally: s.detach()",
    "its own connection, bound": "s = socket.socket(fileno=3)\ntry: s.bind('\\0student')\nfinally: s.detach()",
    "a listener": "socket.create_server(('127.0.0.1', 0))",
}


@pytest.mark.parametrize("body", NETWORK.values(), ids=NETWORK.keys())
def test_no_network(server: ForkServer, worker: Worker, body: str) -> None:
    need(server, "system calls")
    refused(worker, body)


# Numbers of x86-64; the filter itself goes by name.
CALLS = {
    "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "pidfd_open": 434, "pidfd_getfd": 438,
    "io_uring_setup": 425, "keyctl": 250, "add_key": 248, "request_key": 249, "mount": 165, "umount2": 166,
    "move_mount": 429, "open_tree": 428, "fsopen": 430, "pivot_root": 155, "unshare": 272, "setns": 308, "bpf": 321,
    "perf_event_open": 298, "userfaultfd": 323, "kexec_load": 246, "init_module": 175, "finit_module": 313,
    "memfd_create": 319, "memfd_secret": 447, "shmget": 29, "msgget": 68, "semget": 64, "mq_open": 240,
    "personality": 135, "vfork": 58, "fork": 57, "execveat": 322, "seccomp": 317, "open_by_handle_at": 304,
    "setrlimit": 160, "syslog": 103, "vmsplice": 278, "modify_ldt": 154, "iopl": 172, "clone3": 435,
    "landlock_create_ruleset": 444, "process_madvise": 440, "quotactl_fd": 443, "mseal": 462,
    "a call of the future": 999,
}  # fmt: skip


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of x86-64")
@pytest.mark.parametrize("number", CALLS.values(), ids=CALLS.keys())
def test_a_raw_system_call_is_refused(server: ForkServer, worker: Worker, number: int) -> None:
    need(server, "system calls")
    body = """
libc = ctypes.CDLL(None, use_errno=True)
result = libc.syscall(ctypes.c_long(args[0]), 0, 0, 0, 0, 0, 0)
return result, ctypes.get_errno()
"""
    result, number_of_error = run(worker, body, number)
    assert result == -1
    assert number_of_error in (1, 38), "not permitted, or as if the kernel did not have it"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of x86-64")
@pytest.mark.parametrize("flags", [0, 0x10000000, 0x00020000, 0x40000000, 0x7E020000], ids=hex)
def test_clone_makes_threads_only(server: ForkServer, worker: Worker, flags: int) -> None:
    need(server, "system calls")
    body = "return ctypes.CDLL(None).syscall(ctypes.c_long(56), ctypes.c_ulong(args[0] | 17), 0, 0, 0, 0)"
    assert run(worker, body, flags) == -1


@pytest.mark.parametrize("option", [1, 4, 22, 24, 28, 38, 47], ids=lambda number: f"prctl {number}")
def test_a_process_cannot_undo_its_own_walls(server: ForkServer, worker: Worker, option: int) -> None:
    """Death with the server, traceability, the filter, capabilities, secure bits: none can be set."""
    need(server, "system calls")
    body = "libc = ctypes.CDLL(None, use_errno=True)\nreturn libc.prctl(args[0], 0, 0, 0, 0), ctypes.get_errno()"
    assert run(worker, body, option) in ((-1, 38), (-1, 1))


def test_limits_cannot_be_raised(server: ForkServer, worker: Worker) -> None:
    need(server, "resource limits")
    body = "import resource as r\nr.setrlimit(r.RLIMIT_NOFILE, (100_000, 100_000))"
    with pytest.raises(Raised):
        run(worker, body)


MEMORY = {
    "a list": "x = [bytearray(2 ** 20) for _ in range(4096)]",
    "a tensor": "import torch; x = torch.ones(2 ** 30)",
    "many tensors": "import torch; x = [torch.ones(2 ** 20) for _ in range(4096)]",
    "an array": "import numpy as np; x = np.ones(2 ** 30)",
    "a text": "x = 'y' * 2 ** 32",
}


@pytest.mark.parametrize("body", MEMORY.values(), ids=MEMORY.keys())
def test_memory_ends_at_its_limit(server: ForkServer, worker: Worker, body: str) -> None:
    need(server, "resource limits")
    with pytest.raises(Raised) as caught:
        run(worker, body)
    assert caught.value.kind == "MemoryError"
    assert run(worker, "return 1") == 1


def test_memory_that_no_limit_counts_is_watched(worker: Worker) -> None:
    body = "import mmap\nm = mmap.mmap(-1, 2 ** 30)\nfor i in range(0, 2 ** 30, 4096): m[i] = 1\ntime.sleep(60)"
    with pytest.raises(Died) as caught:
        run(worker, body)
    assert caught.value.cause == "memory"
    assert "256 MB" in caught.value.reason


def test_processor_time_ends_at_its_limit() -> None:
    with ForkServer(Limits(cpu=2)) as server, server.fork() as worker:
        need(server, "resource limits")
        with pytest.raises(Died) as caught:
            run(worker, "while True: pass")
    assert caught.value.cause == "cpu"


def test_threads_end_at_their_limit(server: ForkServer, worker: Worker) -> None:
    body = """
import threading
for _ in range(1000): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
"""
    with pytest.raises((Raised, Died)) as caught:
        run(worker, body + "time.sleep(30)")
    error = caught.value
    assert getattr(error, "cause", None) == "threads" or "can't start new thread" in str(error)


def test_one_file_ends_at_its_limit(worker: Worker) -> None:
    refused(worker, "with open('x', 'wb') as x:\n    for _ in range(100): x.write(bytes(2 ** 20))")


def test_many_files_together_end_at_their_limit(worker: Worker) -> None:
    body = "for i in range(10 ** 6):\n    with open(f'x{i}', 'wb') as x: x.write(bytes(2 ** 20))"
    with pytest.raises(Died) as caught:
        run(worker, body)
    assert caught.value.cause == "disk"


def test_many_folders_end_at_their_limit(worker: Worker) -> None:
    with pytest.raises(Died) as caught:
        run(worker, "while True:\n    os.mkdir('x')\n    os.chdir('x')")
    assert caught.value.cause == "disk"


def test_files_hidden_below_a_path_that_is_too_long_end_at_the_limit(worker: Worker) -> None:
    body = """
for _ in range(20):
    os.mkdir('x' * 250)
    os.chdir('x' * 250)
for i in range(10 ** 6):
    with open(f'x{i}', 'wb') as x: x.write(bytes(2 ** 20))
    time.sleep(0.01)
"""
    with pytest.raises(Died) as caught:
        run(worker, body)
    assert caught.value.cause == "disk"


def test_a_folder_nested_a_thousand_deep_is_removed(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    at = os.open(top, os.O_DIRECTORY)
    for _ in range(1200):
        os.mkdir("x", dir_fd=at)
        below = os.open("x", os.O_DIRECTORY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    remove(top)
    assert not top.exists()


def test_the_kernel_cannot_be_made_to_signal_the_grader(server: ForkServer, worker: Worker) -> None:
    """fcntl's F_SETOWN and F_SETSIG: whoever owns a pipe gets the signal of its choice when data arrives."""
    need(server, "system calls")
    refused(worker, "import fcntl\nfcntl.fcntl(1, fcntl.F_SETOWN, os.getppid())")
    refused(worker, "import fcntl\nfcntl.fcntl(1, fcntl.F_SETSIG, 9)")


def test_a_flood_of_output_costs_no_memory_and_no_hang(server: ForkServer, worker: Worker) -> None:
    began = time.monotonic()
    run(worker, "for _ in range(200): os.write(1, bytes(2 ** 20))")
    assert len(worker.output) <= server.limits.output
    assert time.monotonic() - began < 20


def test_a_thread_that_floods_between_calls_is_no_harm(worker: Worker) -> None:
    body = """
import threading
def flood():
    while True: os.write(1, bytes(2 ** 16))
threading.Thread(target=flood, daemon=True).start()
return 1
"""
    assert run(worker, body) == 1
    worker.close()


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
