"""Messages between the parent and the fork server, both trusted: length, JSON, and descriptors beside them."""

import json
import socket
import struct
from typing import Any

LENGTH = struct.Struct("!Q")


def send(control: socket.socket, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
    """Send one message. Raises OSError when the other side is gone."""
    data = json.dumps(message).encode()
    if descriptors:
        socket.send_fds(control, [LENGTH.pack(len(data))], list(descriptors))
    else:
        control.sendall(LENGTH.pack(len(data)))
    control.sendall(data)


def receive(control: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """One message and its descriptors. Raises EOFError when the other side is gone."""
    head, descriptors, _, _ = socket.recv_fds(control, LENGTH.size, 2)
    if len(head) < LENGTH.size:
        raise EOFError
    (size,) = LENGTH.unpack(head)
    data = control.recv(size, socket.MSG_WAITALL) if size else b""
    if len(data) < size:
        raise EOFError
    message: dict[str, Any] = json.loads(data)
    return message, list(descriptors)
