"""The parts of benchmarks/against_others.py that need no other grader: the assignment, the choice, the words."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def others() -> Iterator[tuple[ModuleType, ModuleType, ModuleType]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        from others import assignment, attacks, verdict

        yield assignment, attacks, verdict


def points(assignment: Any, cells: dict[str, str]) -> int:
    """What the other graders would give for these cells: tests run in the same namespace, one by one."""
    names: dict[str, Any] = {}
    for source in (assignment.GIVEN, *cells.values()):
        exec(source, names)
    earned = 0
    for test in (test for tests in assignment.TESTS.values() for test in tests):
        try:
            exec("\n".join(test.lines), dict(names))
            earned += test.points
        except (AssertionError, NotImplementedError):
            continue
    return earned


def test_right_answers_pass_every_test_and_stubs_none(others: Any) -> None:
    assignment, *_ = others
    assert points(assignment, assignment.answers()) == assignment.FULL == 9
    assert points(assignment, assignment.stubs()) == 0


def test_an_attack_is_not_replaced_by_a_later_stub(others: Any) -> None:
    assignment, *_ = others
    cells = assignment.handed_in("def cipher(text, key):\n    return 'mine'\n")
    names: dict[str, Any] = {}
    for source in (assignment.GIVEN, *cells.values()):
        exec(source, names)
    assert names["cipher"]("", 1) == "mine"
    assert {"affine", "Scaler", "halve"} <= names.keys()


def test_every_chosen_attack_applies_and_a_destructive_one_never_does(others: Any) -> None:
    _, attacks, _ = others
    reasons = {choice.attack.name: choice.reason for choice in attacks.choices()}
    assert [reasons[name] for name in attacks.CHOSEN] == [""] * len(attacks.CHOSEN)
    for name in ("fork_bomb", "memory_slowly", "disk_in_many_files", "writes_the_harness"):
        assert reasons[name].startswith("not run: without walls")
    assert reasons["sends_a_forged_reply"].startswith("not applicable")


def test_a_verdict_is_told_in_words(others: Any) -> None:
    _, _, verdict = others
    assert verdict.Verdict(0.0, False, False, 0, 1.0).words == "withstood"
    assert (
        verdict.Verdict(3.0, True, False, 2, 1.0).words == "gave 3 points, it got what it was after, 2 processes stayed"
    )
    assert verdict.Verdict(None, False, True, 0, 1.0).words == "never ended"
    assert verdict.Verdict(None, False, False, 0, 1.0).words == "no score"
