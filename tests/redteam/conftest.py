"""One grader for all attacks, and each attack as the argument of a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.grading import Grader
from autograder.worker import Limits

from .referee import TARGET, Referee, require_walls
from .roster import roster

MIB = 2**20
collect_ignore = ["target", "attacks"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each attack."""
    if "attack" in metafunc.fixturenames:
        attacks = roster()
        metafunc.parametrize("attack", attacks, ids=[f"{attack.threat}-{attack.name}" for attack in attacks])


@pytest.fixture(scope="session")
def target_grader() -> Iterator[Grader]:
    limits = Limits(memory=300 * MIB, folder=32 * MIB, file=8 * MIB, files=300, threads=32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDTEAM_TOKEN", "heron-5307-lagoon")
        with Grader("ps0_target", TARGET / "target.ipynb", TARGET / "hidden", 1, limits, checks=True) as grader:
            yield grader


@pytest.fixture
def referee(target_grader: Grader, tmp_path: Path) -> Referee:
    require_walls(target_grader.walls)
    return Referee(target_grader, tmp_path)
