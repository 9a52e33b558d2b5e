"""What a Dask worker grades, and what it refuses to grade, on a cluster inside this process."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder.batch import cluster
from autograder.batch.cluster import CannotGrade, grade_here, packed, run_on_cluster
from autograder.batch.job import Job, answer
from autograder.course import Refusal
from tests.fakes.batch_fakes import HASHES, FakeGrader, FakeSetting


@pytest.fixture
def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSetting:
    """What is asked of a worker that has graded nothing yet."""
    monkeypatch.setattr(cluster, "_graders", {})
    monkeypatch.setattr(cluster, "_imported", {})
    monkeypatch.setattr(cluster, "tool_hash", lambda: HASHES[2])
    (tmp_path / "log").touch()
    return FakeSetting("ps0_fake", tmp_path, tmp_path, 0, hashes=HASHES)


def local(workers: int) -> Any:
    """A scheduler with so many workers, threads of this process."""
    import distributed

    start: Any = distributed.LocalCluster  # it has no types
    return start(n_workers=workers, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=":0")


def paper(path: Path, text: str = "x = 1  # points = 7\n") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_identical_submissions_get_an_answer_each(setting: FakeSetting, tmp_path: Path) -> None:
    jobs = [Job(name, paper(tmp_path / f"{name}.py"), "the same content") for name in ("ada", "ben", "eve")]
    with local(workers=1) as running:
        found = {job.name: said for job, said in run_on_cluster(running.scheduler_address, setting, jobs)}
    assert {name: said.results and said.results["score"] for name, said in found.items()} == dict.fromkeys(
        ("ada", "ben", "eve"), 7
    )


def test_a_worker_with_other_hidden_tests_refuses_the_whole_run(setting: FakeSetting, tmp_path: Path) -> None:
    asked = replace(setting, hashes=("release", "mended", "tool"))
    with local(workers=1) as running, pytest.raises(Refusal, match=r"other hidden tests .* start it again"):
        list(run_on_cluster(running.scheduler_address, asked, [Job("ada", paper(tmp_path / "ada.py"), "key")]))


def test_a_scheduler_that_is_lost_ends_the_run_with_a_sentence(setting: FakeSetting, tmp_path: Path) -> None:
    with local(workers=0) as running:
        lose = threading.Timer(1.0, running.close)
        lose.start()
        with pytest.raises(Refusal, match=r"connection to the scheduler is lost\. Run the same command again"):
            list(run_on_cluster(running.scheduler_address, setting, [Job("ada", paper(tmp_path / "ada.py"), "key")]))
        lose.join()


@pytest.fixture
def graded_before(setting: FakeSetting, tmp_path: Path) -> FakeSetting:
    """A worker that has graded, and goes on living while the hidden tests are mended."""
    alone = paper(tmp_path / "ada.py")
    assert grade_here(setting, "ada.py", packed(alone)).results
    return setting


@pytest.mark.parametrize("more", [{}, {"seed": 1}])
def test_a_living_worker_refuses_hidden_tests_that_were_mended_since_it_imported_them(
    graded_before: FakeSetting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    monkeypatch.setattr(FakeGrader, "hidden_hash", "mended")  # a new grader reads the folder, and imports nothing anew
    asked = replace(graded_before, hashes=("release", "mended", "tool"), **more)
    with pytest.raises(CannotGrade, match="start it again"):
        grade_here(asked, "ada.py", packed(tmp_path / "ada.py"))


@pytest.mark.parametrize("inside", [("ps1.txt",), ("ps1.py",), (), ("deep/ps1.py", "deep/notes.txt")])
def test_a_worker_grades_a_folder_as_a_folder(setting: FakeSetting, tmp_path: Path, inside: tuple[str, ...]) -> None:
    (tmp_path / "s1").mkdir()
    for name in inside:
        paper(tmp_path / "s1" / name)
    here = answer(setting.grader(), tmp_path / "s1", None)
    there = grade_here(setting, "s1", packed(tmp_path / "s1"))
    assert _steady(there.results) == _steady(here.results)


@pytest.mark.parametrize("name", ["ps1.txt", "ps1.py"])
def test_a_worker_grades_a_lone_file_as_that_file(setting: FakeSetting, tmp_path: Path, name: str) -> None:
    path = paper(tmp_path / name)
    there = grade_here(setting, name, packed(path))
    assert _steady(there.results) == _steady(answer(setting.grader(), path, None).results)


def _steady(results: dict[str, Any] | None) -> dict[str, Any]:
    assert results is not None
    return {**results, "execution_time": 0}


def test_a_submission_travels_without_its_links(tmp_path: Path) -> None:
    paper(tmp_path / "s1" / "b.ipynb")
    (tmp_path / "s1" / "link").symlink_to("/etc/passwd")
    assert list(packed(tmp_path / "s1")) == ["s1/b.ipynb"]
