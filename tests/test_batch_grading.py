"""A class graded in pieces: nothing is graded twice, nothing is lost, and every piece-wise way ends the same."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from autograder.batch import run
from autograder.batch.grades import GRADED, PERSON, UNGRADED, Graded
from autograder.batch.job import Answer, Job, answer
from autograder.batch.ledger import Ledger, key_of, read_results
from autograder.batch.progress import Watch
from autograder.batch.run import Where, exit_code, grade_class
from autograder.cli import main
from autograder.course import Refusal
from autograder.grading.setting import Setting
from tests.fakes.batch_fakes import HASHES, FakeSetting

HERE = Path(__file__).parent
TINY = HERE / "fixtures" / "tiny_set"
PLACES = ("--release", str(TINY / "tiny.ipynb"), "--hidden", str(TINY / "hidden"))
HERE_ALONE = Where(jobs=1)


def write_class(folder: Path, texts: Sequence[str]) -> Path:
    folder.mkdir()
    for number, text in enumerate(texts, 1):
        (folder / f"s{number}.py").write_text(f"x = {number}  # {text}\n")
    return folder


def fake(tmp_path: Path, **more: Any) -> FakeSetting:
    (tmp_path / "log").touch()
    return FakeSetting("ps0_fake", tmp_path, tmp_path, 0, hashes=HASHES, **more)


def gradings(tmp_path: Path) -> int:
    return len((tmp_path / "log").read_text().splitlines())


class Interrupted(Exception):
    """Stands for anything that ends the process."""


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grade in this process."""

    def answers(setting: Setting, where: Where, jobs: Sequence[Job]) -> Iterator[tuple[Job, Answer]]:
        with setting.grader() as grader:
            for job in jobs:
                yield job, answer(grader, job.path, None)

    monkeypatch.setattr(run, "_answers", answers)
    monkeypatch.setattr(run, "_checked", lambda setting: setting)


TEXTS = ("points = 7", "points = 2 course", "", "breaks", "points = 10", "points = 1", "points = 3", "surprises")


def states(graded: Sequence[Graded]) -> list[str]:
    return [each.state for each in graded]


@pytest.mark.usefixtures("inline")
def test_a_class_gets_its_grades_and_names_who_needs_a_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    papers = write_class(tmp_path / "class", TEXTS)
    (papers / "s9.ipynb").write_text("no json")
    graded = grade_class(papers, tmp_path / "out", fake(tmp_path), HERE_ALONE)
    assert states(graded) == [GRADED, PERSON, GRADED, UNGRADED, GRADED, GRADED, GRADED, UNGRADED, PERSON]
    lines = (tmp_path / "out" / "grades.csv").read_text().splitlines()
    assert lines[1].startswith("s1,,,,,7,10")
    assert lines[2].startswith("s2,,,,,10,10"), "the course's fault costs nothing"
    assert lines[4] == "s4,,,,,,,not graded,This machine failed: no more processes"
    assert lines[9].startswith("s9,,,,,0,10.0,needs a person,It cannot be read"), "the gradebook needs both numbers"
    assert exit_code(graded) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "needs a person: s2: q1_a, test_b: line 3" in out
    assert "5 graded, 2 needs a person, 2 not graded." in out


@pytest.mark.usefixtures("inline")
def test_an_upload_over_the_limit_is_graded_and_needs_a_person(tmp_path: Path) -> None:
    papers = tmp_path / "class"
    (papers / "submission_1").mkdir(parents=True)
    (papers / "submission_1" / "ps0.py").write_text("x = 1  # points = 7\n")
    (papers / "submission_metadata.yml").write_text(
        "submission_1:\n  :results:\n    :extra_data:\n      :kept_from: '2027-02-12T09:00:00-05:00'\n"
    )
    (graded,) = grade_class(papers, tmp_path / "out", fake(tmp_path), HERE_ALONE)
    assert (graded.state, graded.score) == (PERSON, 7)
    assert "over the limit" in graded.why[0]


@pytest.mark.usefixtures("inline")
def test_a_second_run_grades_what_failed_and_what_changed_and_nothing_else(tmp_path: Path) -> None:
    papers, setting = write_class(tmp_path / "class", TEXTS), fake(tmp_path)
    grade_class(papers, tmp_path / "out", setting, HERE_ALONE)
    before = gradings(tmp_path)
    (papers / "s1.py").write_text("x = 1  # points = 9")
    graded = grade_class(papers, tmp_path / "out", setting, HERE_ALONE)
    assert gradings(tmp_path) - before == 3, "the changed one, and the two without a result"
    assert graded[0].score == 9
    before = gradings(tmp_path)
    grade_class(papers, tmp_path / "out", fake(tmp_path, time_limit=99.0), HERE_ALONE)
    assert gradings(tmp_path) - before == len(TEXTS), "another limit is another grading"


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("seed", range(5))
def test_interruptions_at_random_end_in_the_same_file(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, write = random.Random(seed), Ledger.write
    papers = write_class(tmp_path / "class", [f"points = {i % 11}" for i in range(40)])
    grade_class(papers, tmp_path / "whole", fake(tmp_path), HERE_ALONE)
    whole, interruptions = (tmp_path / "whole" / "grades.csv").read_bytes(), 0
    before = gradings(tmp_path)

    def falls(self: Ledger, name: str, key: str, results: dict[str, Any]) -> dict[str, Any]:
        if interruptions < 10 and draw.random() < 0.4:
            (self.folder / "results" / name).mkdir(exist_ok=True)
            (self.folder / "results" / name / ".results.json.partial").write_text('{"half')
            raise Interrupted
        return write(self, name, key, results)

    monkeypatch.setattr(Ledger, "write", falls)
    while True:
        try:
            grade_class(papers, tmp_path / "pieces", fake(tmp_path), HERE_ALONE)
            break
        except Interrupted:
            interruptions += 1
    assert interruptions == 10
    assert (tmp_path / "pieces" / "grades.csv").read_bytes() == whole
    assert gradings(tmp_path) - before == 40 + interruptions, "only what was in flight is graded again"


def test_two_runs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with Ledger(tmp_path), pytest.raises(Refusal, match="another run is writing"), Ledger(tmp_path):
        pass
    with Ledger(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal, match="cannot be written"), Ledger(tmp_path / "file"):
        pass


def test_a_result_of_yesterday_is_not_todays(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.write("s1", "key", {"score": 1, "tests": [], "extra_data": {}})
        ledger.set_aside("s1")
        ledger.set_aside("s2")
    assert read_results(tmp_path / "results" / "s1") is None
    assert json.loads((tmp_path / "results" / "s1" / "outdated.json").read_text())["score"] == 1


@pytest.mark.parametrize("change", [{"seed": 1}, {"questions": ("q1",)}, {"isolation": "strict"}, {"hashes": ("x",)}])
def test_the_key_holds_all_that_a_grade_depends_on(tmp_path: Path, change: dict[str, Any]) -> None:
    (tmp_path / "s.py").write_text("x = 1")
    usual = {"set_name": "ps0", "release": tmp_path, "hidden": tmp_path, "seed": 0, "hashes": HASHES}
    assert key_of(tmp_path / "s.py", Setting(**usual)) != key_of(tmp_path / "s.py", Setting(**(usual | change)))


def test_progress_says_how_long_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Watch(Console(), 300)
    for _ in range(100):
        watch.step(person=False)
    watch.step(person=True)
    assert watch.line(101.0) == "101 of 300 graded, 1 for a person, about 3.3 min left"


# Processes.


def test_processes_that_end_cost_their_own_submission_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_checked", lambda setting: setting)
    texts = ("points = 1", "kills its grader", "points = 3 once", "points = 4", "points = 5")
    graded = grade_class(write_class(tmp_path / "class", texts), tmp_path / "out", fake(tmp_path), Where(jobs=2))
    assert [each.score for each in graded] == [1, None, 3, 4, 5]
    assert "The process that graded it ended, 2 times" in graded[1].why[0]


SETS_AND_SCORES = (
    "def line(x, slope, intercept=0.0):\n    return slope * x + intercept\n",
    "def line(x, slope, intercept=0.0):\n    return slope * x\n",
    "def line(x, slope, intercept=0.0):\n    raise NotImplementedError('Question 1a: line')\n",
    "def line(x, slope, intercept=0.0):\n    import os; os._exit(0)\n",
    "x = (",
)


@pytest.fixture(scope="module")
def tiny_class(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five submissions as Gradescope exports them."""
    root = tmp_path_factory.mktemp("class")
    lines = []
    for number, source in enumerate(SETS_AND_SCORES, 1):
        folder = root / f"submission_{number}"
        folder.mkdir()
        (folder / "ps0.py").write_text(source)
        lines.append(
            f"submission_{number}:\n  :submitters:\n  - :name: Student {number}\n    :email: s{number}@example.edu\n"
            f"  :created_at: 2027-02-12 1{number}:00:00.000000000 Z\n"
        )
    (root / "submission_metadata.yml").write_text("---\n" + "".join(lines))
    return root


@pytest.fixture(scope="module")
def graded_class(tiny_class: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing interrupted."""
    output = tmp_path_factory.mktemp("graded")
    assert main(["grade", "ps0_tiny", str(tiny_class), "-o", str(output), "--jobs", "1", *PLACES]) == 0
    return output


def test_real_processes_grade_a_real_export(graded_class: Path) -> None:
    rows = [line.split(",") for line in (graded_class / "grades.csv").read_text().splitlines()[1:]]
    assert [row[5] for row in rows] == ["3", "1", "0", "0", "0"]
    assert rows[0][:5] == ["submission_1", "Student 1", "s1@example.edu", "", "2027-02-12T11:00:00+00:00"]


def test_a_submission_that_cannot_be_read_has_0_of_as_many_points_as_the_others_could_get(tmp_path: Path) -> None:
    (tmp_path / "ps0.txt").write_text("no notebook")
    setting = Setting("ps0_tiny", TINY / "tiny.ipynb", TINY / "hidden", 0)
    grader = setting.grader()
    assert grader.max_score() == 9
    assert grader.max_score(["q1_line"]) == 4
    said = answer(grader, tmp_path / "ps0.txt", ("q1_line",))
    assert said.results is not None
    assert (said.results["score"], said.results["extra_data"]["max_score"]) == (0, 4)


def test_a_killed_run_goes_on_where_it_was(tiny_class: Path, graded_class: Path, tmp_path: Path) -> None:
    """SIGKILL as soon as the first result stands; then the same command again."""
    command = [sys.executable, "-m", "autograder", "grade", "ps0_tiny", str(tiny_class), "-o", str(tmp_path), *PLACES]
    first, stood = tmp_path / "results" / "submission_1" / "results.json", 0
    with subprocess.Popen([*command, "--jobs", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not first.exists() and process.poll() is None:
            time.sleep(0.02)
        process.kill()
    stood = first.stat().st_mtime_ns
    assert main([*command[3:], "--jobs", "1"]) == 0
    assert first.stat().st_mtime_ns == stood, "it was not graded again"
    assert (tmp_path / "grades.csv").read_bytes() == (graded_class / "grades.csv").read_bytes()


# A cluster.


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two worker processes of this machine: its address, and the workers."""
    file, dask = tmp_path / "scheduler.json", [sys.executable, "-m", "dask"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    plain = ["--scheduler-file", str(file), "--no-dashboard"]
    scheduler = subprocess.Popen([*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *plain], **quiet)
    try:
        while not file.exists():
            assert scheduler.poll() is None, "the scheduler did not start"
            time.sleep(0.1)
        one = [*dask, "worker", *plain, "--nthreads", "1", "--no-nanny", "--local-directory", str(tmp_path)]
        workers = [subprocess.Popen(one, **quiet) for _ in range(2)]
        yield json.loads(file.read_text())["address"], workers
        for worker in workers:
            worker.kill()
            worker.wait()
    finally:
        scheduler.terminate()
        scheduler.wait()


def test_a_cluster_grades_the_same_and_a_lost_worker_loses_no_submission(
    tiny_class: Path, graded_class: Path, tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    address, workers = cluster
    output = tmp_path / "out"
    words = ["grade", "ps0_tiny", str(tiny_class), "-o", str(output), "--dask", address, *PLACES]
    with subprocess.Popen([sys.executable, "-m", "autograder", *words], stdout=subprocess.DEVNULL) as process:
        while not list(output.glob("results/*/results.json")) and process.poll() is None:
            time.sleep(0.05)
        os.kill(workers[0].pid, signal.SIGKILL)
        assert process.wait(timeout=240) == 0
    assert (output / "grades.csv").read_bytes() == (graded_class / "grades.csv").read_bytes()


def test_a_cluster_that_is_not_there_is_said(tiny_class: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.batch.cluster.CONNECT", 1)
    words = ["grade", "ps0_tiny", str(tiny_class), "-o", str(tmp_path), "--dask", "tcp://127.0.0.1:9", *PLACES]
    assert main(words) == 1
