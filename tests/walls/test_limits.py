"""What a worker can use up: memory, time, threads, files and output end at their limits."""

import os
import time
from pathlib import Path

import pytest

from autograder.worker import Died, ForkServer, Limits, Raised, Worker
from autograder.worker.client import remove
from tests.walls.inside import need, refused, run

pytestmark = pytest.mark.alone


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
