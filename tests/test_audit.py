"""benchmarks/audit.py: a round that is done a question at a time has passed when every question has."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

PATH = Path(__file__).parents[1] / "benchmarks" / "audit.py"
NAME, WORDS = "ps9_tiny at 20 seeds", ("autograder", "verify", "ps9_tiny", "--seeds", "20")
WANTED = ("q1_line", "q2_circle", "x1_more")


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(PATH.parent)  # as when the file is run
    spec = importlib.util.spec_from_file_location("audit", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def renewed(audit: Any, before: str, question: str, code: int = 0) -> str:
    """The section after a round of one question."""
    said = "a warning\nps9_tiny: 1 question, 2 wrong and 2 right variants; the graders are right."
    result = audit.Result(f"{NAME} {question}", "a command", code, 90.0, said)
    text: str = audit.table(NAME, WORDS, WANTED, before, {question: audit.row(result, question, "abc")})
    return text


def test_rows_of_other_questions_stay_and_are_in_the_order_of_the_set(audit: Any) -> None:
    text = renewed(audit, renewed(audit, "", "q2_circle"), "q1_line")
    assert text.startswith(f"## {NAME}: 2 of 3 questions passed so far\n")
    assert [found["question"] for found in audit.ROW.finditer(text)] == ["q1_line", "q2_circle"]
    assert "| q1_line | passed | 1.5 | abc | 1 question, 2 wrong and 2 right variants; the graders are right. |" in text


def test_a_round_has_passed_when_every_row_has(audit: Any) -> None:
    text = ""
    for question in WANTED:
        text = renewed(audit, text, question)
    assert text.startswith(f"## {NAME}: passed\n")
    text = renewed(audit, text, "q2_circle", code=1)
    assert text.startswith(f"## {NAME}: FAILED\n")
    assert renewed(audit, text, "q2_circle").startswith(f"## {NAME}: passed\n")


def test_a_question_that_the_set_no_longer_has_loses_its_row(audit: Any) -> None:
    assert "q7_gone" not in renewed(audit, "| q7_gone | passed | 1.0 | abc | |\n", "q1_line")


def test_every_set_of_the_term_has_its_rounds(audit: Any) -> None:
    assert {name.split()[0] for name in audit.rounds()} == {"slow", *audit.questions()}


def test_a_set_is_audited_by_its_questions_and_the_slow_tests_as_they_are(audit: Any) -> None:
    name, *_ = audit.questions()
    every = audit.questions()[name]
    assert audit.parts(f"{name} by mutation", []) == every
    assert audit.parts(f"{name} by mutation", ["q1"]) == every[:1]
    assert audit.parts("slow tests of the rest", []) == [""]
    assert audit.parts("slow tests of the rest", ["q1"]) == []


def test_every_slow_test_is_in_one_of_the_two_rounds(audit: Any) -> None:
    ours, others = (words for name, words in audit.rounds().items() if name.startswith("slow tests"))
    files = {word for word in ours if word.endswith(".py")}
    assert all((audit.ROOT / file).is_file() for file in files)
    assert {word.removeprefix("--ignore=") for word in others if word.startswith("--ignore")} == files
