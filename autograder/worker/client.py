"""The grader's side: start the fork server, fork workers, ask them, end them."""

import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from autograder.worker import carried, control
from autograder.worker.channel import Channel, Gone, Late
from autograder.worker.limits import Limits
from autograder.worker.outcomes import BadReply, Died, Handle, IsolationError, TimedOut
from autograder.worker.protocol import Buffer, Decoder, Encoder, no_handles
from autograder.worker.replies import printable, read_reply
from autograder.worker.walls import identity
from autograder.worker.walls.plan import Wall

START, READY, PATIENCE = 180.0, 30.0, 0.25
UNENDING = 2**40


class Piece(Protocol):
    """A run of source as the slicer gives it; compiled under `filename` with the cell's own line numbers."""

    @property
    def filename(self) -> str:
        """Such as "cell 12"."""

    @property
    def first_line(self) -> int:
        """The line of that cell where the source begins, from 1."""

    @property
    def source(self) -> str:
        """Whole statements."""


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

    def fork(self, files: Mapping[str, bytes] | None = None) -> "Worker":
        """A worker with these files in its private folder. Raises Died when a wall cannot be raised in it.

        Raises IsolationError when there is no fork server, or no room for the folder. A server that has ended, which
        only the system can bring about when memory runs out, is started again.
        """
        if self._process is None or self._process.poll() is not None:
            self._start()
        self._wait()
        number = next(self._numbers)
        home = self._base / f"home-{number}"
        try:
            home.mkdir(mode=0o700)
            for name, data in (files or {}).items():
                (home / _plain_name(name)).write_bytes(data)
        except OSError as error:
            raise IsolationError(f"a worker's folder could not be made: {error.strerror}") from error
        worker = Worker(self, number, home, dict(files or {}))
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
        """The server's report on its walls, once it has loaded everything. Raises IsolationError."""
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


class Worker:
    """One process of student code. Made by `ForkServer.fork`.

    Every request raises Raised, BadReply, TimedOut or Died instead of returning; after the last two, and after a
    BadReply that is not `usable`, the worker is gone and every further request raises Died.
    """

    def __init__(self, server: ForkServer, number: int, home: Path, files: dict[str, bytes]) -> None:
        self._server, self.number, self.home, self._files = server, number, home, files
        ours, theirs = socket.socketpair()
        output, into = os.pipe()
        limits = server.limits
        self._channel = Channel(ours, output, output_limit=limits.output, reply_limit=limits.reply)
        try:
            self.pid: int = server.request({"do": "fork", "id": number, "home": str(home)}, (theirs.fileno(), into))[
                "pid"
            ]
        except IsolationError:
            self._channel.close()
            raise
        finally:
            theirs.close()
            os.close(into)
        self._sequence = 0
        self._end: Died | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def output(self) -> str:
        """What student code has printed, cut at the limit. It can hold hidden inputs."""
        return self._channel.captured.decode("utf-8", errors="replace")

    def greet(self) -> None:
        """Wait for the worker's word that its walls are up. Raises Died."""
        try:
            self._understand(*self._channel.receive(time.monotonic() + READY))
        except (Gone, Late, BadReply):
            self._finish(PATIENCE)
            raise Died(f"a wall could not be raised: {self.output.strip()[:300]}", "walls") from None

    def load(self, pieces: Iterable[Piece], timeout: float = 60.0) -> None:
        """Execute definitions, in order, in the one namespace of this worker."""
        self._ask("load", [(piece.filename, piece.first_line, piece.source) for piece in pieces], timeout=timeout)

    def call(
        self, name: str, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None, timeout: float = 20.0
    ) -> Any:
        """Call a function or class of the notebook."""
        return self._ask("call", name, tuple(args), dict(kwargs or {}), timeout=timeout)

    def call_method(
        self,
        handle: Handle,
        name: str,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        timeout: float = 20.0,
    ) -> Any:
        """Call a method of an object that is kept in the worker; "__call__" calls the object itself."""
        return self._ask("call_method", handle, name, tuple(args), dict(kwargs or {}), timeout=timeout)

    def get(self, handle: Handle | None, name: str, timeout: float = 20.0) -> Any:
        """An attribute of a kept object; with None, a name of the notebook itself."""
        if handle is None:
            return self._ask("find", name, timeout=timeout)
        return self._ask("get", handle, name, timeout=timeout)

    def run(
        self,
        source: str,
        name: str,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        timeout: float = 20.0,
    ) -> Any:
        """Execute a probe's source by itself and call its `name(ns, *args)`; `ns.f` is the student's f."""
        return self._ask("run", source, name, tuple(args), dict(kwargs or {}), timeout=timeout)

    def provide(self, source: str, name: str, target: str, timeout: float = 20.0) -> None:
        """Put the course's function `name` in the place of the student's `target` until `restore`."""
        self._ask("provide", source, name, target, timeout=timeout)

    def restore(self, timeout: float = 20.0) -> None:
        """Take back everything that was provided."""
        self._ask("restore", timeout=timeout)

    def artifact(self, name: str, *, keep: bool = False, timeout: float = 60.0) -> Any:
        """A submitted safetensors file as a dict of tensors; with `keep`, a handle for it, to be passed as an argument.

        Raises FileNotFoundError when the submission has no such file.
        """
        if name not in self._files:
            raise FileNotFoundError(name)
        return self._ask("artifact", self._files[name], keep, timeout=timeout)

    def close(self) -> None:
        """Kill the worker and everything that it started, and remove its folder."""
        if self._end is None:
            self._finish(0.0)

    def _ask(self, action: str, *parts: Any, timeout: float) -> Any:
        if self._end is not None:
            raise Died(self._end.reason, "ended")
        self._sequence += 1
        frame = self._frame((self._sequence, action, *parts))
        try:
            reply = self._understand(*self._channel.exchange(frame, timeout))
        except Late:
            self._finish(0.0, Died(f"was ended because it took longer than {timeout:g} s"))
            raise TimedOut(timeout) from None
        except Gone:
            raise self._finish(PATIENCE) from None
        except BadReply as error:
            if not error.usable:
                self._finish(0.0)
            raise
        self._channel.drain()
        return reply

    def _frame(self, request: tuple[Any, ...]) -> list[Buffer]:
        return Encoder(self._keep, UNENDING).encode(request)

    def _keep(self, value: Any) -> tuple[int, str]:
        if isinstance(value, Handle) and value.worker != self.number:
            raise Died("holds the object no longer: it ended in between", "ended")
        return no_handles(value)

    def _understand(self, structure: Buffer, buffers: Buffer) -> Any:
        decoder = Decoder(lambda number, name: Handle(number, printable(name), self.number))
        return read_reply(decoder.decode(structure, buffers), self._sequence)

    def _finish(self, patience: float, known: Died | None = None) -> Died:
        """End the process; how it ended, or `known` where we know better. Raises IsolationError without a server."""
        self._end = Died("is lost with its fork server", "ended")
        try:
            self._channel.drain()
            answer = self._server.request({"do": "end", "id": self.number, "patience": patience})
            self._channel.drain()
        finally:
            self._channel.close()
            self._server.forget(self)
        self._end = known or Died(answer["reason"], answer["cause"])
        return self._end


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


def _plain_name(name: str) -> str:
    if name in ("", ".", "..") or "/" in name or "\0" in name or len(name.encode()) > 200:
        raise ValueError(f"not a plain file name: {name!r}")
    return name
