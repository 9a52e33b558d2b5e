"""The verb `verify` on a tiny course: its questions are graded as students' submissions."""

import re
from pathlib import Path

import pytest

from autograder.cli import main
from tests.line_variants import GOOD

MORE = """

@wrong("fit_line")
def is_not_wrong(xs, ys):
    return fit_line(xs, ys)


@wrong("fit_line")
def does_not_run(xs, ys):
    return averege(xs)


@right("fit_line")
def is_not_right(xs, ys):
    return 0.0, 0.0
"""


def verify(course: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    code = main(["verify", "ps9", "--question", "q1", "--jobs", "1", "--root", str(course), *options])
    return code, capsys.readouterr().out


def write_variants(course: Path, text: str) -> None:
    (course / "solutions/ps9_tiny/variants/q1_line.py").write_text(text, encoding="utf-8")


def test_right_graders_are_proved_and_drawn(
    tiny_course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_variants(tiny_course, GOOD)
    code, text = verify(tiny_course, capsys, "--html", str(tmp_path / "matrix.html"), "--seeds", "2")
    assert code == 0, text
    assert "1 question, 3 wrong and 2 right variants, 2 seeds; the graders are right." in text
    assert re.search(r"stub +○ +○", text)
    assert re.search(r"by_covariance +· +·", text)
    assert re.search(r"adds_one +× +×", text)
    page = (tmp_path / "matrix.html").read_text(encoding="utf-8")
    assert page.count("<rect") == 2 * 7
    assert "<script" not in page
    assert not re.search(r'(src|href)="', page)
    assert "expected a number" in page


def test_wrong_graders_are_found(tiny_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_variants(tiny_course, GOOD + MORE)
    hidden = tiny_course / "autograder/hidden/ps9_tiny/test_q1_line.py"
    hidden.write_text(hidden.read_text(encoding="utf-8").replace("@points(1", "@points(2"), encoding="utf-8")
    code, text = verify(tiny_course, capsys)
    flat = " ".join(text.split())
    assert code == 1
    assert "the mistake is_not_wrong in fit_line gets full marks." in flat
    assert "the mistake does_not_run does not run, so it proves nothing" in flat
    assert "the right answer is_not_right does not pass test_slope_of_an_exact_line" in flat
    assert "the heading of 1a says 3 points, but its tests in test_q1_line.py sum to 4" in flat
    assert "4 failures" in flat


def test_an_unknown_question_is_named(tiny_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "ps9", "--root", str(tiny_course), "--question", "q1_lime"]) == 1
    assert capsys.readouterr().err == "ps9_tiny has no question 'q1_lime'. Did you mean 'q1_line'?\n"
