"""The gradebook from exports: Gradescope's two kinds and our own, extensions, and every way in which input is wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.gradebook.written import COLUMNS
from tests.browsers import EVIL, assert_sound, browser
from tests.gradebooks import ADA, BEN, COURSE, EVE, HEADER, gradebook, rows, write


@pytest.fixture
def course(tmp_path: Path) -> Path:
    (tmp_path / "course.toml").write_text(COURSE)
    return tmp_path


def test_a_set_from_an_assignments_export(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(course, "ps1.csv", HEADER, ADA, BEN, EVE)
    assert gradebook(course, f"ps1={file}") == 0
    ada, ben, eve = rows(course)
    assert tuple(ada) == COLUMNS
    assert (ada["sid"], ada["points"], ada["late_hours"], ada["charged"], ada["final"]) == (
        "0042",
        "80.5",
        "2",
        "2",
        "80.5",
    )
    assert ada["explanation"] == (
        "80.5 of 100 points, 1 h late: 2 started hours, 2 of them from the account of late hours. Nothing is deducted."
    )
    assert ben["email"] == "ben@example.edu"
    assert ben["explanation"] == "90 of 100 points, handed in on time."
    assert eve["explanation"] == "Not handed in: 0 points, and no late hours."
    assert [(row["charged"], row["left"]) for row in rows(course, "hours.csv")] == [
        ("2", "118"),
        ("0", "120"),
        ("0", "120"),
    ]
    canvas = (course / "grades" / "canvas.csv").read_text().splitlines()
    assert canvas[:3] == [
        "Student,ID,SIS User ID,SIS Login ID,Section,First",
        "    Points Possible,,,,,100",
        "Ada Lovelace,,0042,ada@example.edu,,80.5",
    ]
    assert "3 students" in capsys.readouterr().out


def test_a_term_explains_what_it_deducts(course: Path) -> None:
    late = ADA.replace("2027-02-13 00:59:30 -0500,01:00:30", "2027-02-17 20:00:00 -0500,116:01:00")
    second = ADA.replace("2027-02-13 00:59:30 -0500,01:00:30", "2027-03-13 05:59:00 -0500,06:00:00").replace(
        "80.5", "2.0"
    )
    write(course, "ps1.csv", HEADER, late)
    write(course, "ps2.csv", HEADER, second)
    assert gradebook(course, f"ps1={course / 'ps1.csv'}", f"ps2={course / 'ps2.csv'}") == 0
    one, two = rows(course)
    assert (one["charged"], one["unpaid"]) == ("117", "0")
    assert (two["hours_before"], two["charged"], two["unpaid"], two["deduction"], two["final"]) == (
        "3",
        "3",
        "3",
        "3",
        "0",
    )
    assert two["explanation"].endswith(
        "3 beyond it: 3 x 1 % of 100 points = 3 points are deducted. No set falls below 0. 0 points count."
    )


def test_a_courses_export_has_an_assignment_in_columns(course: Path) -> None:
    header = "First Name,Last Name,SID,Email,PS 1,PS 1 - Max Points,PS 1 - Submission Time,PS 1 - Lateness (H:M:S)"
    file = write(
        course, "all.csv", header,
        "Ada,Lovelace,0042,ada@example.edu,80.5,100.0,2027-02-13 00:59:30 -0500,01:00:30",
        "Eve,O'Hara,44,eve@example.edu,,100.0,,",
    )  # fmt: skip
    assert gradebook(course, f"ps1={file}#PS 1") == 0
    assert [(row["final"], row["charged"]) for row in rows(course)] == [("80.5", "2"), ("0", "0")]


def test_our_own_grades_are_an_export_too(course: Path) -> None:
    file = write(
        course, "grades.csv", "submission,name,email,sid,created_at,score,max_score,state,why",
        "submission_1,Ada,ada@example.edu,42,2027-02-13T05:59:30+00:00,80.5,100,needs a person,look",
    )  # fmt: skip
    assert gradebook(course, f"ps1={file}") == 0
    assert rows(course)[0]["charged"] == "2"


def test_an_extension_moves_the_due_date_of_one_student(course: Path) -> None:
    file = write(course, "ps1.csv", HEADER, ADA.replace("01:00:30", "00:00:00"), BEN)
    own = write(course, "extensions.csv", "email,set,due", "ADA@example.edu,ps1,2027-02-14T12:00:00")
    assert gradebook(course, f"ps1={file}", "--extensions", str(own)) == 0
    assert rows(course)[0]["charged"] == "0"


SKIPPED = "ada@example.edu,ps2,2027-03-14T02:30:00"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((HEADER.replace("Lateness (H:M:S)", "Lateness"), ADA), "there is no column 'Lateness (H:M:S)'. Did you mean"),
        ((HEADER.replace("Sections", "Email"), ADA), "there are two columns 'Email'"),
        ((HEADER, ADA, BEN, ADA), "row 4, column 'Email': 'ada@example.edu' stands in row 2 already"),
        ((HEADER, ADA.replace("2027-02-13 00", "13/02/2027 00")), "column 'Submission Time': '13/02/2027"),
        ((HEADER, ADA.replace(" -0500", "")), "has no offset from UTC"),
        ((HEADER, ADA.replace(",80.5,100", ",eighty,100")), "row 2, column 'Total Score': 'eighty' is no number"),
        ((HEADER, ADA.replace(",80.5,100", ",1e3,100")), "'1e3' is no number"),
        ((HEADER, ADA.replace(",80.5,100", ",,100")), "'' is no number"),
        ((HEADER, ADA.replace("01:00:30", "1.5")), "column 'Lateness (H:M:S)': '1.5' is no lateness"),
        ((HEADER, ADA.replace("01:00:30", "05:00:30")), "5 h against 1 h by the due date 2027-02-12 23:59 EST"),
        ((HEADER, ADA.replace("Graded", "Ungraded")), "not graded yet"),
        ((HEADER, ADA.replace("Graded", "Missing")), "'Missing' with a submission time"),
        ((HEADER, EVE.replace(",,100.0", ",5,100.0")), "'5' points for what was never handed in"),
        ((HEADER, ADA.replace("ada@example.edu", "ada")), "'ada' is no address"),
        ((HEADER, ADA, BEN.replace("100.0", "90.0")), "row 3: 90 points there are, 100 in row 2"),
        ((HEADER, ADA + ",one too many"), "row 2: 15 cells under 14 columns"),
    ],
)  # fmt: skip
def test_bad_input_names_row_and_column_and_nothing_is_written(
    course: Path, capsys: pytest.CaptureFixture[str], lines: tuple[str, ...], said: str
) -> None:
    assert gradebook(course, f"ps1={write(course, 'ps1.csv', *lines)}") == 1
    err = capsys.readouterr().err
    assert said in err
    assert "nothing was written" in err
    assert not (course / "grades").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("zoe@example.edu,ps1,2027-02-14T12:00:00", "zoe@example.edu has an extension for ps1_first"),
        ("ada@example.edu,ps7,2027-02-14T12:00:00", "row 2, column 'set': course.toml has no set 'ps7'"),
        ("ada@example.edu,ps1,2027-02-01T12:00:00", "is before the set's own due date"),
        ("ada@example.edu,ps1,tomorrow", "row 2, column 'due': 'tomorrow' cannot be read"),
        ("ada@example.edu,ps1,2027-02-14", "row 2, column 'due': '2027-02-14' cannot be read as a date with time"),
        (SKIPPED, "2027-03-14 02:30:00 is not one point in time in America/New_York: the clocks change"),
        ("ada@example.edu,ps1,2027-02-14T12:00:00\nada@example.edu,ps1,2027-02-15T12:00:00", "in an earlier row"),
    ],
)  # fmt: skip
def test_extensions_that_cannot_be_meant(
    course: Path, capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    file, own = write(course, "ps1.csv", HEADER, BEN, ADA), write(course, "own.csv", "email,set,due", line)
    assert gradebook(course, f"ps1={file}", "--extensions", str(own)) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("words", ["ps1", "ps1=", "ps9=x.csv", "ps1=nowhere.csv"])
def test_a_word_that_names_no_export_is_said(course: Path, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert gradebook(course, words) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_everything_wrong_is_said_at_once(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = [ADA.replace("ada@", f"s{i}@").replace("80.5,100", "x,100") for i in range(30)]
    assert gradebook(course, f"ps1={write(course, 'ps1.csv', HEADER, *many)}") == 1
    assert "and 10 more" in capsys.readouterr().err


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    with browser() as found:
        yield found


def test_the_page_in_a_real_browser(opened: Any, course: Path, tmp_path: Path) -> None:
    lines = [
        ADA.replace("ada@", f"s{i}@").replace("Ada", '"' + evil.replace('"', '""').replace("\ud800", "") + '"')
        for i, evil in enumerate(EVIL)
    ]
    assert gradebook(course, f"ps1={write(course, 'ps1.csv', HEADER, *lines)}") == 0
    page = opened.new_page()
    page.goto((course / "grades" / "gradebook.html").as_uri())
    assert_sound(page, "Models, Spring 2027: grades")
    assert "onerror" in page.inner_text("main")
    page.screenshot(path=str(tmp_path / "gradebook.png"), full_page=True)
    page.close()
