"""Every attack of attacks/: no point above the stub's, nothing leaked, nothing left, the next submission unharmed."""

import json
from collections import Counter
from pathlib import Path

import pytest

from .referee import FULL, STUB, STUB_WEIGHTS, TARGET, Referee, assert_is_gradescopes, leaks, require_walls, write_good
from .roster import Attack, roster


def test_an_attack_gains_nothing(attack: Attack, referee: Referee, tmp_path: Path) -> None:
    results = referee.grade(attack.write(tmp_path / attack.name, STUB_WEIGHTS), attack.seconds, attack.questions)
    said = [test["output"] for test in results["tests"]]
    assert results["score"] <= STUB, said
    assert "exit code 77" not in json.dumps(said), f"not so: {attack.claim}"
    assert_is_gradescopes(results)
    assert leaks(results) == []
    referee.assert_healthy()


def test_the_stub_scores_nothing_and_right_answers_everything(referee: Referee, tmp_path: Path) -> None:
    assert referee.grade(TARGET / "target.ipynb")["score"] == STUB
    assert referee.grade(write_good(tmp_path))["score"] == FULL


def test_definitions_that_hang_are_told_the_time_that_they_had(referee: Referee, tmp_path: Path) -> None:
    source = "import time\nLOADED = time.sleep(10**6)\n\ndef affine(x, factor, shift=0.0):\n    return LOADED\n"
    attack = Attack("", "sleeps", "", source, seconds=2.0)
    said = referee.grade(attack.write(tmp_path / "sleeps", STUB_WEIGHTS), 2.0, ["q1_affine"])["tests"][0]["output"]
    assert float(said.removeprefix("Took longer than ").split()[0]) <= 2.0


def test_the_referee_would_see_a_leak() -> None:
    for text in (
        "o-t-t-e-r 8846 meadow",
        "wodaem6488retto",
        "0.7316294851",
        "heron",
        "b'PDxvdHRlci04ODQ2LW1lYWRvdz4+'",
    ):
        assert leaks({"output": text, "extra_data": {}})
    assert leaks({"output": "The result is factor * x + shift.", "extra_data": {}}) == []


def test_the_roster_has_every_threat() -> None:
    """At least 80 attacks, no two of one name."""
    attacks = roster()
    assert len(attacks) >= 80
    assert len({attack.name for attack in attacks}) == len(attacks)
    assert min(Counter(attack.threat for attack in attacks).values()) >= 5


def test_the_referee_would_see_a_breach(referee: Referee, tmp_path: Path) -> None:
    attack = Attack("", "breach", "", "def affine(x, factor, shift=0.0):\n    breach()\n")
    results = referee.grade(attack.write(tmp_path / "breach", STUB_WEIGHTS))
    assert "exit code 77" in results["tests"][0]["output"]


def test_a_host_without_walls_is_named_and_not_attacked() -> None:
    walls = [("own user", False, "needs root"), ("files", True, "")]
    require_walls(walls)
    with pytest.raises(pytest.skip.Exception, match=r"NOT RUN.*lacks: system calls \(no libseccomp\)"):
        require_walls([*walls, ("system calls", False, "no libseccomp")])
