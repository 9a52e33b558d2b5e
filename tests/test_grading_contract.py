"""What is really written keeps the contract: every claim and title of all sets, and what a class's grading adds."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jsonschema import ValidationError

from autograder.batch.job import answer
from autograder.batch.ledger import Ledger
from autograder.course import load_course
from autograder.grading import Report, TestReport
from autograder.grading.outcomes import Different, Passed
from autograder.grading.report import CheckReport, WrittenPart
from autograder.grading.results import results_of
from autograder.source import SourceSet, hidden_test_file, read_set
from tests.contract import assert_is_gradescopes

COURSE = load_course()
HASH = "0123456789abcdef" * 4
EMPTY = Report("ps0_tiny", (), submission=HASH, release=HASH, hidden=HASH, tool=HASH)
ONE = replace(EMPTY, tests=(TestReport("test_a", "A claim.", "1a", "q1_line", "1a.1", 2.0, Passed()),))


def whole(name: str) -> SourceSet:
    """A set with all its extensions."""
    plan = COURSE.sets[name]
    return read_set(COURSE, replace(plan, extensions=plan.available))


def claims(source: SourceSet) -> Iterator[tuple[str, str, str]]:
    """Question, name and first line of every hidden test, without running one."""
    for question in source.questions:
        file = hidden_test_file(COURSE.root, source.plan.name, question.name)
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield question.name, node.name, (ast.get_docstring(node) or "").partition("\n")[0]


@pytest.mark.parametrize("name", COURSE.sets)
def test_every_claim_and_title_of_a_set_keeps_the_contract_and_is_not_cut(name: str) -> None:
    source = whole(name)
    parts = [part for question in source.questions for part in question.parts]
    said = list(claims(source))
    tests = tuple(
        TestReport(test, claim, "1a", question, f"1a.{i}", 1.0, Different("value", "wrong value"))
        for i, (question, test, claim) in enumerate(said)
    )
    written = tuple(WrittenPart(part.part, part.title, part.points) for part in parts if part.kind == "written")
    checks = tuple(CheckReport(part.part, "passed") for part in parts if part.kind == "code")
    results = results_of(replace(EMPTY, set=name, tests=tests, written=written, checks=checks))
    assert_is_gradescopes(results)
    assert [test["name"] for test in results["tests"][: len(said)]] == [claim for _, _, claim in said]
    assert all(claim for _, _, claim in said)


def with_extra(**more: Any) -> dict[str, Any]:
    results = results_of(ONE)
    results["extra_data"] |= more
    return results


@pytest.mark.parametrize("missing", ["seed", "hidden_sha256", "tool_sha256", "versions", "walls", "tests"])
def test_a_graded_result_without_what_a_regrade_needs_breaks_the_contract(missing: str) -> None:
    results = with_extra()
    assert_is_gradescopes(results)
    del results["extra_data"][missing]
    with pytest.raises(ValidationError):
        assert_is_gradescopes(results)


@pytest.mark.parametrize("odd", [{"email": "ada@example.edu"}, {"release_sha256": "main"}, {"memory_mb": {"q1": "9"}}])
def test_extra_data_holds_the_keys_of_the_contract_and_no_other(odd: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        assert_is_gradescopes(with_extra(**odd))


@pytest.mark.parametrize("text", ["x = 1\n", "def ("])
def test_results_of_a_class_keep_the_contract_whether_they_could_be_read_or_not(tmp_path: Path, text: str) -> None:
    paper = tmp_path / "ps0.py"
    paper.write_text(text)
    grader: Any = SimpleNamespace(
        set_name="ps0_tiny", names=("line",), grade=lambda submission, questions: ONE, max_score=lambda questions: 2.0
    )
    results = answer(grader, paper, None).results
    assert results is not None
    with Ledger(tmp_path / "graded") as ledger:
        assert_is_gradescopes(ledger.write("submission_1", HASH, results))
