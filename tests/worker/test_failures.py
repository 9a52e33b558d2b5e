"""Every way to fail: late, dead, forged or endless replies cost their own worker only."""

import os
import random
import signal
import threading
import time

import pytest
import torch

from autograder.worker import (
    BadReply,
    Died,
    ForkServer,
    IsolationError,
    TimedOut,
    Worker,
)
from tests.walls.inside import MIB
from tests.worker.inside import define


def test_an_endless_loop_ends_at_its_deadline(worker: Worker) -> None:
    define(worker, "def f():\n    while True: pass")
    began = time.monotonic()
    with pytest.raises(TimedOut) as caught:
        worker.call("f", timeout=0.3)
    assert caught.value.seconds == 0.3
    assert time.monotonic() - began < 3
    with pytest.raises(Died) as died:
        worker.call("f")
    assert died.value.cause == "ended"


@pytest.mark.parametrize(
    ("source", "cause", "reason"),
    [
        ("import os\ndef f(): os._exit(3)", "exit", "exit code 3"),
        ("import os\ndef f(): os._exit(70)", "exit", "exit code 70"),
        ("import os\ndef f(): os._exit(0)", "exit", "exit code 0"),
        ("import os\ndef f(): os.abort()", "signal", "aborted"),
        ("import ctypes\ndef f(): ctypes.string_at(0)", "signal", "segmentation fault"),
        ("import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGTERM)", "signal", "SIGTERM"),
        ("import os, time\ndef f():\n    os.close(3)\n    time.sleep(60)", "exit", "closed its connection"),
    ],
)
def test_a_process_that_ends_says_how(worker: Worker, source: str, cause: str, reason: str) -> None:
    define(worker, source)
    with pytest.raises(Died, match=reason) as caught:
        worker.call("f")
    assert caught.value.cause == cause


def killed_at_random(server: ForkServer, times: int) -> None:
    moments = random.Random(0)
    for _ in range(times):
        with server.fork() as worker:
            killer = threading.Timer(moments.random() * 0.02, os.kill, (worker.pid, signal.SIGKILL))
            killer.start()
            with pytest.raises(Died, match="killed by the system"):
                call_without_end(worker)
            killer.join()


def call_without_end(worker: Worker) -> None:
    define(worker, "import torch\ndef f(x): return x + 1")
    while True:
        assert worker.call("f", (torch.ones(10_000),)).sum() == 20_000


def test_a_worker_killed_at_any_moment_is_a_death_and_nothing_else(server: ForkServer) -> None:
    killed_at_random(server, 20)


@pytest.mark.slow
def test_a_thousand_workers_killed_at_any_moment(server: ForkServer) -> None:
    killed_at_random(server, 1000)


def test_a_crash_costs_its_own_worker_only(server: ForkServer) -> None:
    with server.fork() as one, server.fork() as two:
        define(one, "import os\ndef f(): os.abort()")
        define(two, "def f(): return 1")
        with pytest.raises(Died):
            one.call("f")
        assert two.call("f") == 1


FORGERIES = {
    "noise": "b'\\x00' * 7 + b'\\xff' * 400",
    "an endless size": "b'\\xff' * 16",
    "a size beyond the limit": "(100).to_bytes(8, 'big') + (2 ** 40).to_bytes(8, 'big')",
    "nothing at all": "b'\\x00' * 16",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_bytes_that_are_no_reply_are_a_bad_reply(worker: Worker, forgery: str) -> None:
    define(worker, f"import os, time\ndef f():\n    os.write(3, {forgery})\n    time.sleep(60)")
    with pytest.raises(BadReply) as caught:
        worker.call("f", timeout=20.0)
    assert not caught.value.usable


def test_half_a_reply_is_late_not_endless(worker: Worker) -> None:
    define(worker, "import os, time\ndef f():\n    os.write(3, b'\\0' * 7)\n    time.sleep(60)")
    with pytest.raises(TimedOut):
        worker.call("f", timeout=0.3)


def test_a_reply_that_trickles_is_late_as_a_whole(worker: Worker) -> None:
    define(worker, "import os, time\ndef f():\n    while True:\n        os.write(3, b'\\0')\n        time.sleep(0.05)")
    with pytest.raises((TimedOut, BadReply)):
        worker.call("f", timeout=0.5)


@pytest.mark.parametrize(
    ("body", "match"),
    [
        ("x = []\n    x.append(x)\n    return x", "nested"),
        ("import torch\n    return torch.zeros(3 * 2 ** 20, dtype=torch.float64)", "too large"),
        ("return [0.5] * 10 ** 6", "too large"),
    ],
)
def test_a_result_that_cannot_be_sent_leaves_the_worker_usable(worker: Worker, body: str, match: str) -> None:
    define(worker, f"def f():\n    {body}\ndef g(): return 1")
    with pytest.raises(BadReply, match=match) as caught:
        worker.call("f")
    assert caught.value.usable
    assert worker.call("g") == 1


def test_a_large_argument_goes_through_while_the_worker_prints(worker: Worker) -> None:
    define(worker, "def f(x):\n    print('y' * 10 ** 6)\n    return float(x.sum())")
    assert worker.call("f", (torch.ones(4 * MIB),)) == 4 * MIB


def test_output_is_kept_up_to_its_limit(server: ForkServer, worker: Worker) -> None:
    define(worker, "import sys\ndef f():\n    print('first')\n    print('second', file=sys.stderr)")
    worker.call("f")
    assert sorted(worker.output.split()) == ["first", "second"]
    define(worker, "def f():\n    for _ in range(2000): print('x' * 10 ** 4)")
    worker.call("f")
    assert len(worker.output) == server.limits.output


def test_the_server_survives_workers_that_are_not_closed() -> None:
    with ForkServer() as server:
        workers = [server.fork() for _ in range(3)]
        base, pid = workers[0].home.parent, server.pid
    assert not base.exists()
    assert not _alive(pid)


def test_a_server_that_was_killed_is_started_again() -> None:
    with ForkServer() as server:
        worker = server.fork()
        define(worker, "import time\ndef f(): time.sleep(60)")
        os.kill(server.pid, 9)
        with pytest.raises((IsolationError, Died)):
            worker.call("f")  # the worker dies with its server
        with server.fork() as second:
            define(second, "def f(): return 1")
            assert second.call("f") == 1


def test_an_unknown_isolation_is_refused() -> None:
    with pytest.raises(ValueError, match="allowed are"):
        ForkServer(isolation="total")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
