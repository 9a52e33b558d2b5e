"""Faults on our side while a submission is graded: a valid results.json, no silent loss, the next one unharmed."""

import contextlib
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from autograder.grading import Grader
from autograder.grading.batch import grade_one
from autograder.worker import Limits, watch

pytestmark = [
    pytest.mark.skipif(platform.system() != "Linux", reason="processes are found and killed through /proc"),
    pytest.mark.alone,
]

ROOT = Path(__file__).resolve().parents[1]
TINY = ROOT / "tests" / "fixtures" / "tiny_set"
GOOD = """def line(x, slope, intercept=0.0):
    return slope * x + intercept


class Scaler:
    def __init__(self, width):
        self.width = width

    def apply(self, x):
        return self.width * x


def curve(x):
    return line(x * x, 1.0, 1.0)
"""
FULL = 9.0
LOUD = ("killed by the system", "lost with its fork server")


def hand_in(folder: Path, source: str = GOOD) -> Path:
    folder.mkdir(parents=True)
    (folder / "answers.py").write_text(source)
    (folder / "tiny.safetensors").write_bytes(save({"w": torch.ones(3)}))
    return folder


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hand_in(tmp_path_factory.mktemp("handed in") / "good")


@pytest.fixture
def grader() -> Iterator[Grader]:
    limits = Limits(memory=400 * 2**20)
    with Grader("ps0_tiny", TINY / "tiny.ipynb", TINY / "hidden", 1, limits, checks=True) as grader:
        assert grader.walls, "the server is up before anything is killed"
        yield grader


@dataclass
class Killer:
    """Kills the workers of a grader at random moments, in a thread of its own."""

    grader: Grader
    moments: random.Random
    killed: int = 0
    most: int = 10**9

    def __post_init__(self) -> None:
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _run(self) -> None:
        while self.killed < self.most and not self._enough.wait(self.moments.random() * 0.12):
            server = self.grader._server.pid
            for pid in watch.descendants(server, watch.processes()) if server else ():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.killed += 1


def results_of(folder: Path) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="ascii"))
    assert isinstance(results["score"], int | float)
    assert results["tests"]
    return results


def grade_while_killing(grader: Grader, good: Path, folder: Path, kills: int, capfd: pytest.CaptureFixture[str]) -> int:
    """Grade one submission again and again until so many of its workers were killed; how often it was graded."""
    moments, killed, graded = random.Random(0), 0, 0
    while killed < kills:
        with Killer(grader, moments, most=kills - killed) as killer:
            code = grade_one(grader, good, folder)
        killed, graded = killed + killer.killed, graded + 1
        results, said = results_of(folder), capfd.readouterr().err
        if code == 1:
            assert "could not be graded" in said
            assert "does not count" in results["output"]
        elif results["score"] < FULL:
            assert "STAFF: good: " in said, "points were lost, and nobody was told"
            assert any(word in said for word in LOUD), said
        assert "could not be graded" not in json.dumps([test.get("tags") for test in results["tests"]]), (
            "a student could kill the process as well"
        )
    assert grade_one(grader, good, folder) == 0
    assert results_of(folder)["score"] == FULL
    assert [path.name for path in folder.iterdir()] == ["results.json"]
    return graded


def test_workers_killed_at_any_moment_leave_a_valid_result_and_a_loud_line(
    grader: Grader, good: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert grade_while_killing(grader, good, tmp_path, 25, capfd) > 1


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_thousand_workers_killed_while_submissions_are_graded(
    grader: Grader, good: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    started = time.monotonic()
    graded = grade_while_killing(grader, good, tmp_path, 1000, capfd)
    with capfd.disabled():
        print(f"\n1000 workers killed in {graded} gradings, {time.monotonic() - started:.0f} s")


def test_a_worker_that_is_killed_before_it_is_up_is_forked_again(grader: Grader) -> None:
    server = grader._server
    ask, asked = server.request, []

    def kill_the_first(message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> dict[str, Any]:
        answer = ask(message, descriptors)
        if message["do"] == "fork":
            asked.append(answer["pid"])
            if len(asked) == 1:
                os.kill(answer["pid"], signal.SIGKILL)
        return answer

    server.request = kill_the_first  # type: ignore[method-assign]
    with server.fork() as worker:
        assert worker.pid == asked[1]
    assert len(list(server._base.glob("home-*"))) == 0


def test_definitions_whose_process_was_killed_are_loaded_again_for_the_next_test(
    grader: Grader, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Only SIGKILL, which the system sends: another end of a definition is the same at every attempt."""
    source = "import os\n\nKILLED = os.kill(os.getpid(), 9)\n\n\n" + GOOD.replace("intercept=0.0", "intercept=KILLED")
    hostile = hand_in(tmp_path / "hostile", source)
    assert grade_one(grader, hostile, tmp_path / "out", ["q1_line"]) == 0
    outputs = [test["output"] for test in results_of(tmp_path / "out")["tests"]]
    assert results_of(tmp_path / "out")["score"] == 0
    assert outputs[0].startswith("The system killed the process")
    assert capfd.readouterr().err.count("killed by the system") >= 3


def test_a_fork_server_killed_in_the_middle_costs_nothing(grader: Grader, tmp_path: Path) -> None:
    """The submission is graded again from its first question, by a new server."""
    slow = hand_in(
        tmp_path / "slow", "import time\n" + GOOD.replace("    return slope", "    time.sleep(1)\n    return slope")
    )
    first = grader._server.pid
    killer = threading.Timer(0.7, os.kill, (first, signal.SIGKILL))
    killer.start()
    assert grade_one(grader, slow, tmp_path / "out") == 0
    killer.join()
    assert results_of(tmp_path / "out")["score"] == FULL
    assert grader._server.pid not in (0, first)


def test_a_fork_server_that_always_ends_judges_nobody(
    grader: Grader, good: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    enough = threading.Event()

    def kill_servers() -> None:
        while not enough.wait(0.02):
            with contextlib.suppress(ProcessLookupError, AttributeError):
                if grader._server.pid:
                    os.kill(grader._server.pid, signal.SIGKILL)

    thread = threading.Thread(target=kill_servers)
    thread.start()
    try:
        assert grade_one(grader, good, tmp_path / "out") == 1
    finally:
        enough.set()
        thread.join()
    assert "good could not be graded" in capfd.readouterr().err
    results = results_of(tmp_path / "out")
    assert "does not count" in results["output"]
    assert grade_one(grader, good, tmp_path / "out") == 0
    assert results_of(tmp_path / "out")["score"] == FULL


def test_the_deadline_passing_in_the_middle_is_told_to_student_and_staff(
    grader: Grader, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sleeps = "import time\n" + GOOD.replace("    return slope", "    time.sleep(60)\n    return slope")
    grader.time_limit = 3.0
    started = time.monotonic()
    assert grade_one(grader, hand_in(tmp_path / "late", sleeps), tmp_path / "out") == 0
    assert time.monotonic() - started < 20
    results, said = results_of(tmp_path / "out"), capfd.readouterr().err
    assert any("used up" in test["output"] for test in results["tests"])
    assert "STAFF: late: q1_line" in said
    assert "if this machine was busy" in said
    assert results["score"] > 0, "the questions behind it had their own time"


def test_a_mistake_of_a_hidden_test_costs_nothing_and_is_loud(
    good: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Files that are missing, names that are misspelt, a test file that cannot be imported."""
    with Grader("ps0_tiny", TINY / "tiny.ipynb", TINY / "hidden_faulty", 1) as faulty:
        assert grade_one(faulty, good, tmp_path) == 1
    results, said = results_of(tmp_path), capfd.readouterr().err
    broken = [test for test in results["tests"] if "could not be graded" in test.get("tags", [])]
    assert len(broken) == 9
    assert all(test["score"] == test["max_score"] for test in broken)
    assert "COULD NOT BE GRADED, by the course's fault" in results["output"]
    assert "secret_data.pt" in said, "staff read which file is missing"
    assert "secret_data.pt" not in json.dumps(results)


# Faults of the disk, each in a mount namespace of its own; a hidden test brings the fault about in the middle.

DISK = """
import sys, pathlib, subprocess
from autograder.grading.batch import grade_each
from autograder.grading.setting import Setting
from autograder.course import load_course
tiny, good, out, hidden = map(pathlib.Path, sys.argv[1:])
setting = Setting("ps0_tiny", tiny / "tiny.ipynb", hidden, 1, "auto", 60.0)
sys.exit(grade_each(setting, {good: out}))
"""
FILLS = """
from autograder.testing import points
@points(0, "1a", hint="none")
def test_the_disk_fills_up(ps, rng):
    '''Nothing.'''
    try:
        with open({place!r} + "/filler", "wb", buffering=0) as filler:
            while True:
                filler.write(bytes(65536))
    except OSError:
        pass
"""
CLOSES = """
import subprocess
from autograder.testing import points
@points(0, "1a", hint="none")
def test_the_folder_becomes_read_only(ps, rng):
    '''Nothing.'''
    subprocess.run(["mount", "-o", "remount,ro", {place!r}], check=True)
"""


def grade_on(
    place: Path, fault: str, tmp_path: Path, good: Path, *, temporary: bool
) -> tuple[int, str, dict[str, Any]]:
    """Grade with the results (or, with `temporary`, the workers' folders) on a file system of 8 MB at `place`.

    The exit code, what was said to staff, and the results.json as it stands at the end.
    """
    place.mkdir()
    hidden, out = tmp_path / "hidden", (tmp_path if temporary else place) / "out"
    shutil.copytree(TINY / "hidden", hidden)
    (hidden / "test_q1_line.py").write_text((hidden / "test_q1_line.py").read_text() + fault.format(place=str(place)))
    command = [sys.executable, "-c", DISK, str(TINY), str(good), str(out), str(hidden)]
    script = (
        f'mount -t tmpfs -o size=8m none "{place}" || exit 99; "$@" >&2; code=$?; cat "{out}/results.json"; exit $code'
    )
    environment = os.environ | ({"TMPDIR": str(place)} if temporary else {})
    words = ["unshare", "-m", "sh", "-c", script, "sh", *command]
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here")
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT, env=environment, timeout=280)
    if done.returncode == 99 or "unshare:" in done.stderr:
        pytest.skip("no mount namespaces here")
    return done.returncode, done.stderr, json.loads(done.stdout)


def test_a_disk_that_fills_up_while_grading_does_not_lose_the_result(tmp_path: Path, good: Path) -> None:
    code, said, results = grade_on(tmp_path / "disk", FILLS, tmp_path, good, temporary=False)
    assert code == 0, said
    assert results["score"] == FULL


def test_no_room_for_the_workers_folders_judges_nobody(tmp_path: Path, good: Path) -> None:
    code, said, results = grade_on(tmp_path / "disk", FILLS, tmp_path, good, temporary=True)
    assert code == 1
    assert "could not be graded" in said
    assert "does not count" in results["output"]


def test_a_results_folder_that_becomes_read_only_keeps_a_valid_file_and_is_loud(tmp_path: Path, good: Path) -> None:
    code, said, results = grade_on(tmp_path / "disk", CLOSES, tmp_path, good, temporary=False)
    assert code == 1
    assert "could not be replaced (Read-only file system); grade again." in said
    assert "does not count" in results["output"]
