"""What every attack from inside a worker needs: limits, code, a call in the worker."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder.worker import ForkServer, Limits, Raised, Worker

MIB = 2**20
ROOT = Path(__file__).resolve().parents[2]
LIMITS = Limits(memory=256 * MIB, folder=16 * MIB, file=8 * MIB, files=200, threads=32)
READS = ["/etc/passwd", "/proc/1/environ", "/proc/self/environ", "/proc/self/maps", "/proc/self/mem", "/proc/net/tcp",
         str(ROOT / "pyproject.toml"), str(ROOT / "autograder" / "__init__.py"), "/sys/kernel/notes"]  # fmt: skip


@dataclass(frozen=True)
class Code:
    """A piece as the slicer gives it."""

    source: str
    filename: str = "cell 1"
    first_line: int = 1


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
