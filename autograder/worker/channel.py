"""The parent's end of a worker's pipe: one request out, one reply in, against a deadline, whatever the worker does.

What this does not protect against: what a reply says. It bounds a reply's size and time only.
"""

import os
import select
import socket
import time

from autograder.worker.outcomes import BadReply
from autograder.worker.protocol import HEADER, MAX_STRUCTURE, Buffer

CHUNK = 2**18


class Gone(Exception):
    """The worker closed its end."""


class Late(Exception):
    """The deadline passed before the reply was complete."""


class Channel:
    """A worker's socket and its captured output.

    output_limit: bytes of stdout and stderr that are kept; more is read and dropped, so that a worker never blocks on
    its output and never fills our memory. reply_limit: bytes of array data in one reply.
    """

    def __init__(self, connection: socket.socket, output: int, *, output_limit: int, reply_limit: int) -> None:
        connection.setblocking(False)
        os.set_blocking(output, False)
        self._socket, self._output = connection, output
        self._output_limit, self._reply_limit = output_limit, reply_limit
        self._output_open = True
        self.captured = bytearray()

    def exchange(self, parts: list[Buffer], seconds: float) -> tuple[bytearray, bytearray]:
        """Send a frame and receive one: (structure, buffers). Raises Late, Gone or BadReply."""
        deadline = time.monotonic() + seconds
        for part in parts:
            self._send(memoryview(part).cast("B"), deadline)
        return self.receive(deadline)

    def receive(self, deadline: float) -> tuple[bytearray, bytearray]:
        """One frame. Raises Late, Gone or BadReply."""
        structure_size, buffers_size = HEADER.unpack(self._receive(HEADER.size, deadline))
        if structure_size > MAX_STRUCTURE or buffers_size > self._reply_limit:
            raise BadReply(f"the reply is larger than {self._reply_limit // 2**20} MB")
        return self._receive(structure_size, deadline), self._receive(buffers_size, deadline)

    def drain(self) -> None:
        """Read what the worker has printed so far; at most a few reads, however much it goes on printing."""
        for _ in range(8):
            if not self._output_open or not select.select([self._output], [], [], 0)[0]:
                return
            self._read_output()

    def close(self) -> None:
        """Close both descriptors; the captured output stays."""
        self._socket.close()
        if self._output >= 0:
            os.close(self._output)
        self._output, self._output_open = -1, False

    def _send(self, data: memoryview, deadline: float) -> None:
        while data:
            self._wait(select.POLLOUT, deadline)
            try:
                data = data[self._socket.send(data[:CHUNK]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise Gone from None

    def _receive(self, size: int, deadline: float) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            self._wait(select.POLLIN, deadline)
            try:
                count = self._socket.recv_into(view[:CHUNK])
            except BlockingIOError:
                continue
            except OSError:
                raise Gone from None
            if count == 0:
                raise Gone
            view = view[count:]
        return data

    def _wait(self, event: int, deadline: float) -> None:
        """Until the socket is ready for `event`; meanwhile the output is read and bounded."""
        poll = select.poll()
        poll.register(self._socket, event)
        if self._output_open:
            poll.register(self._output, select.POLLIN)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Late
            ready = dict(poll.poll(left * 1000))
            if self._output in ready:
                self._read_output()
                if not self._output_open:
                    poll.unregister(self._output)
            if self._socket.fileno() in ready:
                return

    def _read_output(self) -> None:
        try:
            data = os.read(self._output, 2**16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._output_open = bool(data)
        room = self._output_limit - len(self.captured)
        self.captured += data[: max(room, 0)]
