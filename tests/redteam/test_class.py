"""A class of good, unfinished, wrong and hostile submissions in one run of the command: nothing is left behind.

Bounds: a megabyte of the grader's memory for every five submissions, and not one descriptor.
"""

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from autograder.worker import watch

from .referee import FULL, GOOD_WEIGHTS, STUB, STUB_WEIGHTS, TARGET, Referee, leaks
from .roster import Attack, roster

pytestmark = pytest.mark.alone
ROOT = Path(__file__).resolve().parents[2]
MISTAKES = (
    ("factor * x + shift", "factor * x - shift"),
    ("- 97 + key", "- 97 + key + 1"),
    ("return self.width * x", "return self.width + x"),
    ("scaler.apply(x) / 2", "scaler.apply(x)"),
    ("return factor", "return 1 / 0 * factor"),
)
MEGABYTES_EACH = 0.2
SECONDS = 20  # for one submission
KINDS = {"h": "hostile", "g": "good", "w": "wrong", "s": "stub"}
ORDER = "hgwhgshgwhhghwgshghw"


class Moment(NamedTuple):
    """One look at the grader: submissions with a result, MB of memory, open descriptors."""

    graded: int
    memory: float
    descriptors: int


@dataclass(frozen=True)
class Paper:
    """One submission; `least` and `most` are the scores that it may get."""

    path: Path
    least: float
    most: float


def hand_in(folder: Path, count: int) -> list[Paper]:
    """The class, mixed."""
    good = (TARGET / "good.py").read_text()
    attacks = roster()
    hostile = itertools.cycle(attacks[:: max(1, len(attacks) // (2 * count // 5))])
    mistakes = itertools.cycle(MISTAKES)
    kinds = [KINDS[ORDER[number % len(ORDER)]] for number in range(count)]
    return [_paper(folder / f"{number:03}", kind, good, mistakes, hostile) for number, kind in enumerate(kinds)]


def _paper(place: Path, kind: str, good: str, mistakes: Iterator[tuple[str, str]], hostile: Iterator[Attack]) -> Paper:
    place = place.with_name(f"{place.name}-{kind}")
    if kind == "hostile":
        attack = next(hostile)
        return Paper(attack.write(place.with_name(f"{place.name}-{attack.name}"), STUB_WEIGHTS), STUB, STUB)
    place.mkdir()
    if kind == "stub":
        (place / "notebook.ipynb").write_bytes((TARGET / "target.ipynb").read_bytes())
        return Paper(place, STUB, STUB)
    text = good.replace(*next(mistakes)) if kind == "wrong" else good
    assert kind == "good" or text != good, "the mistake is one"
    (place / "notebook.py").write_text(text)
    (place / "target.safetensors").write_bytes(GOOD_WEIGHTS)
    return Paper(place, FULL, FULL) if kind == "good" else Paper(place, STUB, FULL - 1)


def grade_class(papers: list[Paper], out: Path, temporary: Path) -> tuple[int, list[Moment], str]:
    """Run the command as staff do and look at it while it runs: its exit code, the looks, what it said to staff."""
    temporary.mkdir()
    command = [sys.executable, "-m", "autograder", "grade", "ps0_target", *(str(paper.path) for paper in papers)]
    command += ["-o", str(out), "--seed", "1", "--time-limit", str(SECONDS)]
    command += ["--release", str(TARGET / "target.ipynb"), "--hidden", str(TARGET / "hidden")]
    with (out.parent / "said").open("w+") as said:
        environment = os.environ | {"TMPDIR": str(temporary), "COLUMNS": "100"}
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=said) as grader:
            moments = list(_watch(grader, out))
        said.seek(0)
        return grader.returncode, moments, said.read()


def _watch(grader: "subprocess.Popen[bytes]", out: Path) -> Iterator[Moment]:
    while grader.poll() is None:
        graded = len(list(out.glob("*/results.json")))
        try:
            fields = Path(f"/proc/{grader.pid}/status").read_text().split()
            descriptors = len(list(Path(f"/proc/{grader.pid}/fd").iterdir()))
        except OSError:
            return
        if "VmRSS:" in fields:
            yield Moment(graded, int(fields[fields.index("VmRSS:") + 1]) / 1024, descriptors)
        time.sleep(0.1)


def assert_nothing_stays(before: set[int], temporary: Path) -> None:
    """No folder in the temporary one, and no new process that works or worked there."""
    assert list(temporary.iterdir()) == []
    new = [pid for pid in watch.processes() if pid not in before]
    assert [pid for pid in new if str(temporary) in _place(pid)] == []


def _place(pid: int) -> str:
    """Where a process works: a fork server and its workers do so in the temporary folder, or did."""
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink()) + Path(f"/proc/{pid}/environ").read_text(errors="replace")
    except OSError:
        return ""


def assert_class_is_graded(count: int, folder: Path) -> tuple[float, float, list[Moment]]:
    """Grade a class and look for what it leaves. MB of memory that it grew by, seconds it took, the looks."""
    (folder / "handed in").mkdir()
    papers = hand_in(folder / "handed in", count)
    before, started = set(watch.processes()), time.monotonic()
    code, moments, said = grade_class(papers, folder / "out", folder / "temporary")
    seconds = time.monotonic() - started
    assert code == 0, said
    assert_nothing_stays(before, folder / "temporary")
    for paper in papers:
        place = folder / "out" / paper.path.name
        assert [path.name for path in place.iterdir()] == ["results.json"]
        results = json.loads((place / "results.json").read_text(encoding="ascii"))
        assert paper.least <= results["score"] <= paper.most, (paper.path.name, results["score"])
        assert leaks(results) == []
    return _growth(moments, count), seconds, moments


def _growth(moments: list[Moment], count: int) -> float:
    """MB between the first and the last fifth of the class, each at its lowest: what is given back does not count."""

    def lowest(low: float, high: float) -> float:
        return min(moment.memory for moment in moments if low * count < moment.graded <= high * count)

    return lowest(0.8, 1.0) - lowest(0.2, 0.4)


def _descriptors(moments: list[Moment], test: Callable[[int], bool]) -> int:
    return min(moment.descriptors for moment in moments if test(moment.graded))


@pytest.mark.timeout(600)
def test_a_small_class_leaves_nothing_behind(referee: Referee, tmp_path: Path) -> None:
    assert_class_is_graded(10, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_two_hundred_submissions_leave_nothing_behind(
    referee: Referee, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    count = 200
    growth, seconds, moments = assert_class_is_graded(count, tmp_path)
    early, late = (_descriptors(moments, test) for test in (lambda n: 40 < n <= 80, lambda n: n > 160))
    with capfd.disabled():
        print(
            f"\n{count} submissions in {seconds:.0f} s ({seconds / count:.2f} s each): the grader's memory grew by "
            f"{growth:.1f} MB to {max(moment.memory for moment in moments):.0f} MB; descriptors {early} and {late}"
        )
    assert growth <= MEGABYTES_EACH * count, "the grader keeps memory"
    assert late <= early, "the grader keeps descriptors"


def test_the_look_would_see_a_process_and_a_folder(tmp_path: Path) -> None:
    assert_nothing_stays(set(watch.processes()), tmp_path)
    before = set(watch.processes())
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path) as stays:
        with pytest.raises(AssertionError):
            assert_nothing_stays(before, tmp_path)
        stays.kill()
    (tmp_path / "worker-x").mkdir()
    with pytest.raises(AssertionError):
        assert_nothing_stays(before, tmp_path)
