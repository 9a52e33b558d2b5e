"""The worker: a fork that has its walls up and serves requests on descriptor 3 until the grader closes it.

Everything from here on shares its memory with student code, which can change any of it. Only the student's own answers
suffer then: the grader trusts nothing that comes out, and nothing secret is in here.
"""

import contextlib
import os
import random
import socket
import sys
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import safetensors.torch
import torch

from autograder.worker import faults
from autograder.worker.notebook import Notebook
from autograder.worker.protocol import HEADER, Buffer, Decoder, Encoder, Unsendable
from autograder.worker.walls import Plan, descriptors, raise_walls

WALL_FELL, NO_MEMORY = 70, 71
MAX_REQUEST = 2**31


def start(connection: int, output: int, plan: Plan) -> None:
    """Raise the walls and serve; does not return."""
    try:
        descriptors.place(connection, output)
        raise_walls(plan)
    except BaseException as error:
        with contextlib.suppress(Exception):
            os.write(2, f"{type(error).__name__}: {error}".encode())
        os._exit(WALL_FELL)
    try:
        Service(socket.socket(fileno=descriptors.CONNECTION), plan.limits["reply"]).serve()
    finally:
        os._exit(1)


class Kept:
    """A large artifact that stays here; `value` is its dict of tensors."""

    def __init__(self, value: dict[str, torch.Tensor]) -> None:
        self.value = value


class Service:
    """Decode a request, do it, encode the reply. `objects` holds what handles stand for."""

    def __init__(self, connection: socket.socket, limit: int) -> None:
        self._connection, self._limit = connection, limit
        self._notebook = Notebook()
        self._objects: list[Any] = []
        self._decoder = Decoder(lambda number, name: self._find_object(number))
        random.seed(0)
        np.random.seed(0)
        torch.manual_seed(0)

    def serve(self) -> None:
        """Say that the walls are up, then answer until the grader closes the connection."""
        self._send((0, "ok", None))
        try:
            while (request := self._receive()) is not None:
                sequence, action, *parts = request
                self._answer(sequence, self._ACTIONS[action], parts)
        except MemoryError:  # no room even for a request: say so by the way of ending
            os._exit(NO_MEMORY)
        os._exit(0)

    def _answer(self, sequence: int, action: Callable[..., Any], parts: list[Any]) -> None:
        try:
            reply = (sequence, "ok", action(self, *parts))
        except BaseException as error:
            reply = (sequence, "raised", faults.describe(error, self._notebook.cells))
        self._flush()
        try:
            self._send(reply)
        except Unsendable as reason:
            self._send((sequence, "unsendable", reason.args[0]))
        except MemoryError:
            self._send((sequence, "unsendable", "memory"))

    def _flush(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()

    def _keep(self, value: Any) -> tuple[int, str]:
        self._objects.append(value)
        return len(self._objects) - 1, type(value).__name__[:100].encode("utf-8", "replace").decode()

    def _find_object(self, number: int) -> Any:
        value = self._objects[number]
        return value.value if isinstance(value, Kept) else value

    def _send(self, value: Any) -> None:
        for part in Encoder(self._keep, self._limit).encode(value):
            self._connection.sendall(part)

    def _receive(self) -> Any:
        header = self._read(HEADER.size)
        if header is None:
            return None
        structure, buffers = (self._read(size) for size in HEADER.unpack(header))
        return None if structure is None or buffers is None else self._decoder.decode(structure, buffers)

    def _read(self, size: int) -> Buffer | None:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            count = self._connection.recv_into(view)
            if count == 0:
                return None
            view = view[count:]
        return data

    def _load(self, pieces: list[tuple[str, int, str]]) -> None:
        self._notebook.load(pieces)

    def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._notebook.find(name)(*args, **kwargs)

    def _call_method(self, target: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return getattr(target, name)(*args, **kwargs)

    def _get(self, target: Any, name: str) -> Any:
        return getattr(target, name)

    def _find(self, name: str) -> Any:
        return self._notebook.find(name)

    def _run(self, source: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._notebook.run(source, name, args, kwargs)

    def _provide(self, source: str, name: str, target: str) -> None:
        self._notebook.provide(source, name, target)

    def _restore(self) -> None:
        self._notebook.restore()

    def _artifact(self, data: bytes, keep: bool) -> Any:
        tensors = safetensors.torch.load(data)
        return Kept(tensors) if keep else tensors

    _ACTIONS: ClassVar[dict[str, Callable[..., Any]]] = {
        "load": _load, "call": _call, "call_method": _call_method, "get": _get, "find": _find, "run": _run,
        "provide": _provide, "restore": _restore, "artifact": _artifact,
    }  # fmt: skip
