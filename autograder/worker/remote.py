"""One worker as the grader sees it: requests out, values or outcomes in, and its end."""

import os
import socket
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from autograder.worker.channel import Channel, Gone, Late
from autograder.worker.limits import Limits
from autograder.worker.outcomes import BadReply, Died, Handle, IsolationError, TimedOut
from autograder.worker.protocol import Buffer, Decoder, Encoder, no_handles
from autograder.worker.replies import printable, read_reply

READY, PATIENCE = 30.0, 0.25
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


class Server(Protocol):
    """What a worker needs of its fork server."""

    limits: Limits

    def request(self, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> dict[str, Any]:
        """Ask it. Raises IsolationError."""

    def forget(self, worker: "Worker") -> None:
        """The worker has ended."""


class Worker:
    """One process of student code. Made by `ForkServer.fork`.

    Every request raises Raised, BadReply, TimedOut or Died instead of returning; after the last two, and after a
    BadReply that is not `usable`, the worker is gone and every further request raises Died.
    """

    def __init__(
        self, server: Server, number: int, home: Path, files: dict[str, bytes], *, sealed: bool = False
    ) -> None:
        self._server, self.number, self.home, self._files = server, number, home, files
        ours, theirs = socket.socketpair()
        output, into = os.pipe()
        limits = server.limits
        self._channel = Channel(ours, output, output_limit=limits.output, reply_limit=limits.reply)
        wanted = {"do": "fork", "id": number, "home": str(home), "sealed": sealed}
        try:
            self.pid: int = server.request(wanted, (theirs.fileno(), into))["pid"]
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
            end = self._finish(PATIENCE)
            if end.cause == "killed":
                raise end from None
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
