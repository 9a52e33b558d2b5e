"""What a worker can reach: no file, process, socket or system call that is not its own."""

import os
import platform

import pytest

from autograder.worker import ForkServer, Worker
from tests.walls.inside import LIMITS, READS, ROOT, need, refused, run

pytestmark = pytest.mark.alone
WALLS = (
    "own user", "files", "system calls", "no new privileges", "resource limits", "descriptors and environment",
    "the grader is closed", "nothing is left behind",
)  # fmt: skip


def test_every_wall_is_reported_with_a_sentence(server: ForkServer) -> None:
    assert sorted(wall.name for wall in server.walls) == sorted(WALLS)
    assert all(wall.detail for wall in server.walls)


@pytest.mark.skipif(os.geteuid() != 0 or platform.system() != "Linux", reason="only root on Linux has every wall")
def test_root_on_linux_has_every_wall(server: ForkServer) -> None:
    assert [wall for wall in server.walls if not wall.stands] == []


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
