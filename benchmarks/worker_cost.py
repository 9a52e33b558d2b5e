"""What a worker costs: start of the fork server, fork to ready, walls alone, one call, end, memory.

    python benchmarks/worker_cost.py [--workers 50]

Prints a table; times are medians and maxima over the workers, in wall-clock time and, where others compute on the
machine too, in processor time, which they do not change; memory is proportional (PSS), so that shared pages count
once.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from machine import machine, pss

from autograder.worker import ForkServer, Limits, watch
from autograder.worker.carried import configuration
from autograder.worker.trial import plan_for
from autograder.worker.walls import Plan, raise_walls, syscalls


@dataclass(frozen=True)
class Code:
    """A piece of source."""

    source: str
    filename: str = "cell 1"
    first_line: int = 1


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, and the action's value."""
    began = time.perf_counter()
    value = action()
    return (time.perf_counter() - began) * 1000, value


def one_worker(server: ForkServer, times: dict[str, list[float]]) -> None:
    """Fork, load, call and end one worker, adding to the times."""
    before = processor(server.pid)
    fork, worker = timed(server.fork)
    spent = processor(server.pid) - before + processor(worker.pid)
    load, _ = timed(lambda: worker.load([Code("def f(x):\n    return x.cumsum(0)")]))
    call, _ = timed(lambda: worker.call("f", (torch.ones(1000, 10),)))
    end, _ = timed(worker.close)
    found = {"fork to ready": fork, "fork to ready, processor": spent, "load": load, "call, 80 kB": call}
    for name, value in {**found, "end, sweep": end}.items():
        times.setdefault(name, []).append(value)


def processor(pid: int) -> float:
    """Milliseconds that the main thread of a process has computed, which do not depend on who else does."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def walls_alone(repeats: int) -> tuple[list[float], list[float]]:
    """Wall-clock and processor milliseconds of raising every wall, each time in a fork of this process."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        syscalls.available()  # imports libseccomp, as the fork server has
        plan = plan_for(configuration(Limits(), folder, frozenset()))
        pairs = [_raise_in_fork(plan) for _ in range(repeats)]
    return [wall for wall, _ in pairs], [processor for _, processor in pairs]


def _raise_in_fork(plan: Plan) -> tuple[float, float]:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            began = time.perf_counter(), time.process_time()
            raise_walls(plan)
            os.write(writer, f"{time.perf_counter() - began[0]} {time.process_time() - began[1]}".encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as report:
        wall, processor = report.read().split()
    os.waitpid(pid, 0)
    return float(wall) * 1000, float(processor) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--workers", type=int, default=50)
    workers = parser.parse_args().workers
    print(machine())
    times: dict[str, list[float]] = {}
    with ForkServer() as server:
        start, _ = timed(lambda: server.walls)
        for _ in range(workers):
            one_worker(server, times)
        worker = server.fork()
        memory = {"fork server": pss(server.pid), "server and one worker": pss(server.pid) + _pss_of_child(server)}
        worker.close()
    times["walls alone"], times["walls alone, processor"] = walls_alone(workers)
    print(f"{'server start':28} {start:8.0f} ms")
    for name, values in times.items():
        print(f"{name:28} {statistics.median(values):8.1f} ms median {max(values):8.1f} ms at most")
    for name, value in memory.items():
        print(f"{name:28} {value:8.0f} MB")


def _pss_of_child(server: ForkServer) -> float:
    return sum(pss(pid) for pid in watch.descendants(server.pid, watch.processes()))


if __name__ == "__main__":
    main()
