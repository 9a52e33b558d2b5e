"""The grader's side of the fork server: start it, fork workers, end it.

Nothing here imports torch: the grader starts the server first and loads its own libraries beside it.
"""

import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from autograder.worker import carried, control
from autograder.worker.limits import Limits
from autograder.worker.outcomes import Died, IsolationError
from autograder.worker.walls import identity
from autograder.worker.walls.plan import Wall

if TYPE_CHECKING:
    from autograder.worker.remote import Worker

START = 180.0
ATTEMPTS = 3


class ForkServer:
    """A process that has loaded torch and nothing secret; `fork` gives a worker within milliseconds.

    isolation: "auto" takes the walls that the host grants and says in `walls` what is missing; "strict" raises
    IsolationError, naming them, when one is missing. without: walls to leave out, for tests of the others.
    """

    def __init__(self, limits: Limits | None = None, *, isolation: str = "auto", without: Iterable[str] = ()) -> None:
        if isolation not in ("auto", "strict"):
            raise ValueError(f"isolation is {isolation!r}; allowed are 'auto' and 'strict'")
        self.limits, self._isolation, self._without = limits or Limits(), isolation, frozenset(without)
        self._numbers = itertools.count()
        self._process: subprocess.Popen[bytes] | None = None
        self._report: dict[str, Any] | None = None
        self._workers: set[Worker] = set()

    def __enter__(self) -> Self:
        """Start loading in the background; `fork` and `walls` wait for it."""
        _close_to_own_user()
        with contextlib.ExitStack() as stack:
            self._base = Path(tempfile.mkdtemp(prefix="worker-"))
            stack.callback(remove, self._base)
            # Passable for the workers' users, who do not know the names in it; readable for nobody.
            self._base.chmod(0o711)
            self._errors = stack.enter_context(tempfile.TemporaryFile())
            stack.callback(self._stop)
            (self._base / "empty").mkdir()
            (self._base / "trial").mkdir(mode=0o700)
            self._start()
            if self._isolation == "strict":
                self._wait()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every worker and the server, and remove the folder."""
        self._stack.close()

    def _start(self) -> None:
        """Launch the process and send it all that it will know; once more after it has ended."""
        self._stop()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = self._launch(theirs)
        configuration = carried.configuration(self.limits, str(self._base / "trial"), self._without)
        data = json.dumps(configuration).encode()
        self._control.sendall(len(data).to_bytes(8, "big") + data)

    def _stop(self) -> None:
        """Close the connection, upon which the server kills what lives and ends; then make sure of it."""
        if self._process is None:
            return
        for worker in list(self._workers):
            with contextlib.suppress(IsolationError):
                worker.close()
        self._control.close()
        if self._report is not None:  # else it is still loading, and has no worker that it would have to end
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=10)
        self._process.kill()
        self._process.wait()
        self._process, self._report = None, None

    @property
    def walls(self) -> tuple[Wall, ...]:
        """What stands between student code and the grader on this host, each wall tried."""
        return tuple(Wall(**wall) for wall in self._wait()["walls"])

    @property
    def not_loaded(self) -> tuple[str, ...]:
        """Modules that the server wanted to load for student code and could not."""
        return tuple(self._wait()["missing"])

    @property
    def pid(self) -> int:
        """The fork server's process id; 0 when it has ended."""
        return self._process.pid if self._process is not None else 0

    def fork(self, files: Mapping[str, bytes] | None = None, *, sealed: bool = False) -> "Worker":
        """A worker with these files in its private folder. Raises Died when a wall cannot be raised in it.

        sealed: where the server may, no file of Python's library is open to it either. Raises IsolationError when there
        is no fork server, or no room for the folder. A server or a worker that the system has killed, which no student
        code can bring about before it runs, is started again.
        """
        for _ in range(ATTEMPTS - 1):
            try:
                return self._fork(files or {}, sealed)
            except Died as end:
                if end.cause != "killed":
                    raise
        return self._fork(files or {}, sealed)

    def _fork(self, files: Mapping[str, bytes], sealed: bool) -> "Worker":
        from autograder.worker.remote import Worker

        self._wait()
        number = next(self._numbers)
        home = self._base / f"home-{number}"
        try:
            _furnish(home, files)
            worker = Worker(self, number, home, dict(files), sealed=sealed)
        except (IsolationError, OSError, ValueError) as error:
            remove(home)
            if isinstance(error, OSError):
                raise IsolationError(f"a worker could not be made: {error.strerror}") from error
            raise
        self._workers.add(worker)
        worker.greet()
        return worker

    def request(self, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> dict[str, Any]:
        """Ask the fork server. Raises IsolationError when it is gone, which no student code can bring about."""
        try:
            control.send(self._control, message, descriptors)
            answer, _ = control.receive(self._control)
        except (OSError, EOFError):
            raise IsolationError("the fork server has ended; grade again") from None
        if "error" in answer:
            raise IsolationError(f"the fork server could not make a worker: {answer['error']}")
        return answer

    def forget(self, worker: "Worker") -> None:
        """A worker has ended: remove its folder."""
        self._workers.discard(worker)
        remove(worker.home)

    def _launch(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", carried.BOOT.read_text(encoding="utf-8"), str(theirs.fileno())],
            env={"LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
            cwd=self._base / "empty", pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self._errors, start_new_session=True,
        )  # fmt: skip

    def _wait(self) -> dict[str, Any]:
        """The report of a server that has loaded everything; one that has ended is started again.

        Raises IsolationError where it does not start.
        """
        if self._process is None or self._process.poll() is not None:
            self._start()
        if self._report is None:
            self._control.settimeout(START)
            try:
                self._report, _ = control.receive(self._control)
            except (OSError, EOFError):
                raise IsolationError(f"the fork server did not start: {self._last_error()}") from None
            self._control.settimeout(None)
            self._insist()
        return self._report

    def _insist(self) -> None:
        missing = [wall for wall in self.walls if not wall.stands]
        if self._isolation == "strict" and missing:
            lines = "; ".join(f"{wall.name}: {wall.detail}" for wall in missing)
            raise IsolationError(f"strict isolation was asked for, and this host lacks: {lines}")

    def _last_error(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read()[-2000:].decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it gave no reason"


def remove(folder: Path) -> None:
    """Remove a folder that student code has filled; no link is followed.

    shutil descends recursively and gives up in folders nested a thousand deep, for which `rm` is made.
    """
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False, stderr=subprocess.DEVNULL)


def _close_to_own_user() -> None:
    """Without root a worker runs as the grader's user: then nobody but root may trace the grader or read its /proc."""
    if os.geteuid() != 0:
        with contextlib.suppress(OSError, AttributeError):  # a host without prctl, such as macOS
            identity.prctl(identity.PR_SET_DUMPABLE, 0)


def _furnish(home: Path, files: Mapping[str, bytes]) -> None:
    """Make a worker's folder, with these files."""
    home.mkdir(mode=0o700)
    for name, data in files.items():
        (home / _plain_name(name)).write_bytes(data)


def _plain_name(name: str) -> str:
    if name in ("", ".", "..") or "/" in name or "\0" in name or len(name.encode()) > 200:
        raise ValueError(f"not a plain file name: {name!r}")
    return name
