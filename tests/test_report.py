"""The class report: its numbers, and the page in a real browser."""

import io
import json
import random
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from autograder.batch.entries import Entry
from autograder.batch.grades import Graded, grades_csv
from autograder.cli import main
from autograder.report.class_page import class_page
from autograder.report.papers import Paper, Row, paper_of
from autograder.report.sources import read_class
from autograder.report.statistics import (
    by_question,
    by_test,
    correlation,
    histogram,
    often_hinted,
    often_said,
    quantile,
)
from tests.browsers import EVIL, assert_sound, browser

SCREENSHOTS = Path(__file__).parents[1] / "build" / "screenshots"
A4, MARGIN = 794, 38  # the width of a sheet, and what printers leave free of it: 21 and 1 cm, in pixels
CLAIMS = [
    ("q1_gaussian", "1a", "The mean is the average of the rows."),
    ("q1_gaussian", "1a", "The covariance divides by N."),
    ("q1_gaussian", "1b", "The density depends on the correlations."),
    ("q3_mixture", "3a", "Weights enter the log density."),
    ("q3_mixture", "3a", "Far away the density does not underflow."),
    ("q4_em", "4b", "One M-step of hard responsibilities is the group mean."),
    ("q4_em", "4c", "EM climbs the likelihood until it stops."),
    ("q8_artifact", "8a", "Unseen patches are likely under your mixture."),
]


def made(number: int, draw: random.Random, texts: tuple[str, ...] = ("Wrong value.",)) -> dict[str, Any]:
    """A result of a student whose knowledge is drawn; the last test is one that the good ones fail."""
    skill, tests, about = draw.betavariate(4, 2), [], {}
    for i, (question, part, claim) in enumerate(CLAIMS):
        right = i == 0 or (draw.random() < skill * (1.2 - 0.1 * i) if i < 7 else skill < 0.6)
        key = f"{part}.{i}"
        tests.append(
            {
                "name": claim, "number": key, "score": 3.0 * right, "max_score": 3.0, "status": "passed",
                "output": "Passed." if right else f"{draw.choice(texts)}\nHint: think", "tags": [question, part],
            }
        )  # fmt: skip
        about[key] = {
            "test": f"{question}/test_{i}", "outcome": "Passed" if right else "Different",
            "hint": "" if right else "the whole covariance counts, not its diagonal", "seconds": 0.1 * (i + 1),
        }  # fmt: skip
    return {
        "score": sum(test["score"] for test in tests), "execution_time": draw.uniform(2, 9), "tests": tests,
        "output": "", "extra_data": {
            "set": "ps1_probabilistic", "tests": about, "memory_mb": {"q3_mixture": draw.randrange(20, 90)},
            "titles": {"q1_gaussian": "The Gaussian", "q3_mixture": "Mixtures", "q4_em": "EM", "q8_artifact": "Train"},
            "staff": ["q4_em, test_6: line 3"] if number == 5 else [],
        },
    }  # fmt: skip


def a_class(size: int, texts: tuple[str, ...] = ("Wrong value.",)) -> list[Paper]:
    draw = random.Random(0)
    return [paper_of(f"submission_{i}", made(i, draw, texts)) for i in range(size)]


# Numbers.


def row(test: str, points: float, most: float = 2.0, said: str = "", hint: str = "") -> Row:
    outcome = "Passed" if points == most else "Different"
    return Row(test, "1a.1", "A claim", test.partition("/")[0], points, most, outcome, said, hint, 0.5)


def paper(name: str, *rows: Row) -> Paper:
    return Paper(name, sum(each.points for each in rows), rows, 1.0)


@given(st.lists(st.integers(0, 40), max_size=60))
def test_every_submission_stands_in_one_bin(scores: list[int]) -> None:
    papers = [paper(str(i), row("q/a", score / 10, 4.0)) for i, score in enumerate(scores)]
    bins = histogram(papers)
    assert sum(each.count for each in bins) == len(scores)
    for each in bins:
        upper = each.high + (each.high == 100)
        assert each.count == sum(each.low <= round(score * 2.5, 9) < upper for score in scores)


def test_difficulty_and_discrimination_of_a_small_class() -> None:
    """By hand: five students with rest scores 0..4; `a` is passed by the upper three, `b` by the lower two."""
    papers = [
        paper(str(i), row("q/a", 2.0 * (i >= 2)), row("q/b", 2.0 * (i < 2)), row("q/c", 2.0), row("q/d", float(i), 9.0))
        for i in range(5)
    ]
    tests = {each.test: each for each in by_test(papers)}
    assert (tests["q/a"].rate, tests["q/b"].rate, tests["q/c"].rate) == (0.6, 0.4, 1.0)
    assert tests["q/c"].discrimination is None
    rest = [2.0 + 2 + 0, 2.0 + 2 + 1, 2.0 + 2, 2.0 + 3, 2.0 + 4]  # of a: b, c and d
    assert tests["q/a"].discrimination == pytest.approx(correlation([0, 0, 2, 2, 2], rest))
    assert tests["q/b"].remark == "better students fail it"
    assert tests["q/c"].remark == "everybody passes"
    assert [each.remark for each in by_test([paper("1", row("q/a", 0.0))])] == [""], "one student proves nothing"


def test_questions_messages_and_hints_are_counted() -> None:
    lost = row("q1/a", 0.0, said="Wrong value.", hint="an idea")
    papers = [paper("1", lost, row("q2/b", 2.0)), paper("2", lost, row("q2/b", 0.0, said="Took longer."))]
    assert [(each.name, each.mean, each.full, each.none) for each in by_question(papers)] == [
        ("q1", 0.0, 0, 2), ("q2", 1.0, 1, 1)
    ]  # fmt: skip
    assert [(each.text, each.count) for each in often_said(papers)] == [("Wrong value.", 2), ("Took longer.", 1)]
    assert [(each.text, each.count) for each in often_hinted(papers)] == [("an idea", 2)]
    assert quantile([3.0, 1.0, 2.0], 0.95) == 3.0
    assert quantile([], 0.5) == 0.0


def test_the_courses_fault_is_no_pass() -> None:
    results = made(0, random.Random(1))
    results["extra_data"]["tests"]["1a.0"]["outcome"] = "CouldNotBeGraded"
    assert by_test([paper_of("s", results)])[0].passed == 0


def test_a_result_of_any_harness_can_be_read() -> None:
    bare = {"score": 1, "tests": [{"name": "A", "score": 1, "max_score": 1, "status": "passed"}, {"name": "Note"}]}
    (one,) = paper_of("s", bare).rows
    assert (one.outcome, one.most) == ("Passed", 1.0)
    assert paper_of("s", {}).rows == ()


@pytest.mark.parametrize("papers", [[], [Paper("s")], a_class(1)])
def test_small_classes_have_a_page_too(papers: list[Paper]) -> None:
    assert "how the class did" in class_page("ps1", papers)


def test_the_verb_reads_what_the_grades_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("submission_1", "submission_2", "of_last_week"):
        (tmp_path / "results" / name).mkdir(parents=True)
        (tmp_path / "results" / name / "results.json").write_text(json.dumps(made(1, random.Random(2))))
    (tmp_path / "grades.csv").write_text("submission,score\nsubmission_1,1\nsubmission_2,2\n")
    (tmp_path / "similarity.json").write_text(
        json.dumps({"pairs": [{"one": "submission_1", "other": "submission_2", "similarity": 0.9, "stands_out": True}]})
    )
    assert main(["report", str(tmp_path)]) == 0
    page = (tmp_path / "report.html").read_text()
    assert "2 submissions" in capsys.readouterr().out
    assert "of_last_week" not in page
    assert "0.90" in page


def test_whoever_the_grades_leave_to_a_person_stands_under_for_a_person(tmp_path: Path) -> None:
    """Also who could not be graded at all, and whom the class shows to be odd: no result file says so."""
    good, odd = made(1, random.Random(2)), made(5, random.Random(2))
    for name, results in (("s1", good), ("s5", odd)):
        (tmp_path / "results" / name).mkdir(parents=True)
        (tmp_path / "results" / name / "results.json").write_text(json.dumps(results))
    graded = [
        Graded(Entry("s1", Path()), good),
        Graded(Entry("s5", Path()), odd, (*odd["extra_data"]["staff"], "Its student also handed in s1.")),
        Graded(Entry("s7", Path()), None, ("This machine failed: no more processes",)),
    ]
    (tmp_path / "grades.csv").write_text(grades_csv(graded))
    papers = {paper.name: paper for paper in read_class(tmp_path)}
    assert {name: paper.staff for name, paper in papers.items()} == {
        "s1": (),
        "s5": ("q4_em, test_6: line 3", "Its student also handed in s1."),
        "s7": ("Not graded.", "This machine failed: no more processes"),
    }
    people = class_page("ps1", list(papers.values())).partition('id="people"')[2]
    assert "s1</th>" not in people
    assert all(text in people for text in ("s5</th>", "also handed in s1", "s7</th>", "no more processes"))


def test_the_zip_of_an_export_is_reported_as_its_folder_is(tmp_path: Path) -> None:
    folder = tmp_path / "assignment_1_export"
    folder.mkdir()
    listed = {f"submission_{i}": {":results": made(i, random.Random(2))} for i in (1, 2)}
    (folder / "submission_metadata.yml").write_text(json.dumps(listed))
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.write(folder / "submission_metadata.yml", "assignment_1_export/submission_metadata.yml")
    assert main(["report", str(folder)]) == main(["report", str(tmp_path / "export.zip")]) == 0
    page = (tmp_path / "report.html").read_text()
    assert "2 submissions, 2 graded" in page
    assert page == (folder / "report.html").read_text()


@pytest.mark.parametrize("content", [None, b"no zip", b"PK\x03\x04 cut off"])
def test_what_holds_no_results_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    path = tmp_path / "export.zip"
    if content is not None:
        path.write_bytes(content)
    assert main(["report", str(path)]) == 1
    assert f"report: {path} holds no results that can be read." in capsys.readouterr().err


# The page.


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_in_a_real_browser(opened: Any, tmp_path: Path, width: int) -> None:
    """Its picture stands in build/screenshots/, for someone to look at."""
    file = tmp_path / "report.html"
    file.write_text(class_page("ps1_probabilistic", a_class(120, ("Wrong value.", *EVIL))), "utf-8", "backslashreplace")
    page = opened.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append("a dialog"))
    page.goto(file.as_uri())
    assert_sound(page, "ps1_probabilistic: how the class did")
    assert asked == [file.as_uri()], "the page is all there is"
    assert "onerror" in page.inner_text("main"), "what students wrote is there, as text"
    assert "better students fail it" in page.inner_text("main")
    assert "everybody passes" in page.inner_text("main")
    picture = page.screenshot(path=str(SCREENSHOTS / f"report-{width}.png"), full_page=True)
    assert len(picture) > 20_000, "something is drawn"
    page.close()


def test_on_paper_the_page_says_all_that_the_screen_says(opened: Any, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(class_page("ps1_probabilistic", a_class(120)), "utf-8")
    page = opened.new_page(viewport={"width": A4 - 2 * MARGIN, "height": 1000})
    page.goto(file.as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("[...document.querySelectorAll('.wide')].every(each => each.scrollWidth <= each.clientWidth)")
    said = page.evaluate("[...document.querySelectorAll('h1, h2, h3, p, caption, th, td, li')].map(e => e.innerText)")
    margins = dict.fromkeys(("left", "right"), f"{MARGIN}px")
    sheets = PdfReader(io.BytesIO(page.pdf(format="A4", margin=margins))).pages
    printed = letters("".join(sheet.extract_text() for sheet in sheets))
    assert len(sheets) <= 5
    for text in said:
        assert letters(text) in printed, text
    page.close()


def letters(text: str) -> str:
    """Without spaces and line breaks, and two letters where a font joins them to one."""
    return "".join(unicodedata.normalize("NFKC", text).split())
