"""benchmarks/bench.py and quality.py: pages of what was measured, and nothing that was not."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
ROWS = """\
| q1_line | passed | 1.5 | a-dirty | 1 question, 4 wrong and 2 right variants, 20 seeds; the graders are right. |
| q2_circle | FAILED | 1.5 | abc | 1 question, 5 wrong and 1 right variants, 20 seeds; the graders are wrong. |
"""
MUTANTS = "| q1_line | passed | 0.5 | abc | 30 noticed, 2 equivalent, 0 survive (0.0 %). |\n"
SECTIONS = {"ps9_tiny at 20 seeds": ROWS, "ps9_tiny by mutation": MUTANTS}


def module(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A file of benchmarks/ as it is when it is run."""
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module(name)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    found = module("bench", monkeypatch)
    monkeypatch.setattr(found, "PAGE", tmp_path / "RESULTS.md")
    return found


@pytest.fixture
def quality(monkeypatch: pytest.MonkeyPatch) -> Any:
    return module("quality", monkeypatch)


def measured(bench: Any, monkeypatch: pytest.MonkeyPatch, program: str, *words: str) -> tuple[int, str]:
    """The exit code and the page, where this program is the first of two measurements."""
    (folder := bench.PAGE.parent / "benchmarks").mkdir(exist_ok=True)
    (folder / "first.py").write_text(program)
    (folder / "second.py").write_text("print('two')")
    monkeypatch.setattr(bench, "ROOT", bench.PAGE.parent)
    monkeypatch.setattr(bench, "today", lambda: "a day")
    monkeypatch.setattr(bench, "MEASURED", {"The first": ("first.py",), "The second": ("second.py", "{peer}")})
    monkeypatch.setattr(sys, "argv", ["bench.py", *words])
    return bench.main(), bench.PAGE.read_text()


def test_the_page_has_what_was_printed_and_not_the_programs_chatter(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "print('[GenerateAssignmentApp | INFO] Making'); print('1 of 2 graded, 0 for'); print('7.5 times')"
    code, page = measured(bench, monkeypatch, program)
    assert code == 0
    assert "## The first\n\n`python benchmarks/first.py`, 0.0 minutes on a day.\n\n```text\n7.5 times\n```\n" in page
    assert "The second" not in page, "it needs a peer that nobody named"


def test_a_measurement_that_fails_is_said_to(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code, page = measured(bench, monkeypatch, "print('half'); raise SystemExit(3)")
    assert code == 1
    assert "It FAILED with exit code 3." in page


def test_what_is_not_measured_again_stays(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(bench, monkeypatch, "print('once')")
    _, page = measured(bench, monkeypatch, "print('again')", "--only", "second", "--peer", str(bench.PAGE.parent))
    assert "once" in page
    assert "`python benchmarks/second.py PEER`" in page, "a path of one machine is no news"


def test_every_measurement_has_its_program(bench: Any) -> None:
    assert all((FOLDER / words[0]).is_file() for words in (bench.MEASURED | bench.LONG).values())


def test_only_what_an_audit_has_passed_counts(quality: Any) -> None:
    first, second = (quality.counts(SECTIONS, "ps9_tiny", each) for each in ("q1_line", "q2_circle"))
    assert first.row("q1") == "| q1 | 4 of 4 | 2 of 2 | 20 | 0 of 60 | 30 | 2 | 0 |"
    assert second.row("q2") == "| q2 | – | – | – | – | – | – | – |"
    assert quality.total([first, second]) == first
    assert quality.proven([first, second]) == " (1 of 2 questions)"


def test_a_set_that_was_verified_in_one_run_counts_as_a_whole(quality: Any) -> None:
    said = "ps9_tiny: 2 questions, 9 wrong and 3 right variants, 20 seeds; the graders are right."
    sections = {"ps9_tiny at 20 seeds": f"## ps9_tiny at 20 seeds: passed\n\n```text\n{said}\n```\n"}
    every = [quality.Counts(None, (30, 2, 0)), quality.Counts(None, (5, 0, 0))]
    assert quality.short_row(sections, "ps9_tiny", every) == "| PS9 | 9 of 9 | 3 of 3 | 20 | 0 of 100 | 35 | 2 | 0 |"
    assert "PS9 (0 of 2 questions)" in quality.short_row({}, "ps9_tiny", every)


def test_the_committed_tables_are_those_of_the_last_audit(quality: Any) -> None:
    page, table = quality.pages(quality.kept(quality.PAGE, ": "))
    assert page == quality.OUT.read_text(encoding="utf-8"), "run: python benchmarks/quality.py"
    assert table in quality.README.read_text(encoding="utf-8"), "run: python benchmarks/quality.py"
