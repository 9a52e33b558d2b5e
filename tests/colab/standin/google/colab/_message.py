"""Requests to the page: out as `colab_request` on iopub, back as a value on the kernel's stdin channel."""

import time
import uuid
from typing import Any

import zmq
from ipykernel.kernelapp import IPKernelApp


class MessageError(Exception):
    """The page answered with an error."""


def blocking_request(request_type: str, request: Any = "", timeout_sec: float | None = 5, parent: Any = None) -> Any:
    """The page's answer, or None where none came in time."""
    app = IPKernelApp.instance()
    kernel, number = app.kernel, str(uuid.uuid4())
    metadata = {"colab_msg_id": number, "colab_request_type": request_type}
    parent = parent or kernel.shell.parent_header  # with it the page, a notebook client, knows which cell asks
    message = kernel.session.msg("colab_request", content={"request": request}, metadata=metadata, parent=parent)
    kernel.session.send(kernel.iopub_socket, message)
    deadline = time.time() + timeout_sec if timeout_sec else None
    while deadline is None or time.time() < deadline:
        reply = _next_value(kernel)
        if reply.get("type") == "colab_reply" and reply.get("colab_msg_id") == number:
            if "error" in reply:
                raise MessageError(reply["error"])
            return reply.get("data")
        time.sleep(0.025)
    return None


def _next_value(kernel: Any) -> dict[str, Any]:
    _, message = kernel.session.recv(kernel.stdin_socket, zmq.NOBLOCK)
    value = message["content"].get("value") if message else None
    return value if isinstance(value, dict) else {}
