"""A set's several exports: what adds up, what says when, who is missing, and which cannot be meant together."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gradebooks import ADA, BEN, COURSE, EVE, HEADER, gradebook, rows, write

NBGRADERS = "assignment,duedate,timestamp,max_score,student_id,last_name,first_name,email,raw_score,score"
LATE = "2027-02-13 00:59:30 -0500,01:00:30"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    (tmp_path / "course.toml").write_text(COURSE)
    return tmp_path


def test_parts_of_a_set_add_up_and_the_last_one_says_when(course: Path) -> None:
    """An edit after the deadline is late, in whichever part; and one late hour is charged once."""
    code = ADA.replace("80.5,100.0", "60,72.0")
    written = ADA.replace("80.5,100.0", "20,28.0").replace(
        "2027-02-13 00:59:30 -0500,01:00:30", "2027-02-13 03:00:00 -0500,3:01:00"
    )
    assert gradebook(
        course,
        f"ps1={write(course, 'code.csv', HEADER, code)}",
        f"ps1={write(course, 'written.csv', HEADER, written)}",
    ) == 0  # fmt: skip
    (ada,) = rows(course)
    assert (ada["points"], ada["of"], ada["charged"]) == ("80", "100", "4")


def test_points_of_formgrader_come_back(course: Path) -> None:
    """What nbgrader exports adds to the code's points; lateness is the code's."""
    file = write(
        course, "grades.csv", NBGRADERS, "ps1,,,28.0,ada@example.edu,,,,20.5,20.5",
        "ps2,,,28.0,ada@example.edu,,,,9.0,9.0",
        "ps1,,,28.0,43,B,Ben,BEN@example.edu,0.0,0.0",
    )  # fmt: skip
    code = write(course, "ps1.csv", HEADER, ADA.replace("80.5,100.0", "60,72.0"), BEN.replace("90.0,100.0", "72,72.0"))
    assert gradebook(course, f"ps1={code}", f"ps1={file}") == 0
    assert [(row["points"], row["of"], row["charged"]) for row in rows(course)] == [
        ("80.5", "100", "2"),
        ("72", "100", "0"),
    ]


def test_a_student_whom_an_export_does_not_list_is_said(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = write(course, "ps1.csv", HEADER, ADA, BEN), write(course, "ps2.csv", HEADER, EVE.replace("eve", "ada"))
    one.write_text(one.read_text().replace("0042", ""))
    two.write_text(two.read_text().replace(",44,", ",,"))
    assert gradebook(course, f"ps1={one}", f"ps2={two}") == 0
    assert "ben@example.edu: ps2_second: not listed in ps2.csv, 0 points from it" in capsys.readouterr().err
    assert "not listed" in (course / "grades" / "gradebook.html").read_text()


def test_one_student_with_two_ids_is_said(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = write(course, "ps1.csv", HEADER, ADA), write(course, "ps2.csv", HEADER, EVE.replace("eve", "ada"))
    assert gradebook(course, f"ps1={one}", f"ps2={two}") == 1
    assert "ada@example.edu has 2 student ids: 0042 (ps1.csv, row 2), 44 (ps2.csv, row 2)." in capsys.readouterr().err


def test_a_student_whom_one_of_a_sets_exports_does_not_list_is_said(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, written = write(course, "code.csv", HEADER, ADA, BEN), write(course, "written.csv", HEADER, ADA)
    assert gradebook(course, f"ps1={code}", f"ps1+={written}") == 0
    assert capsys.readouterr().err == (
        "gradebook: ben@example.edu: ps1_first: not listed in written.csv, 0 points from it\n"
    )


def test_papers_that_staff_uploaded_after_the_deadline_add_points_and_no_hours(course: Path) -> None:
    """Whatever Gradescope says of their lateness: +=, which grade's own file may be as well."""
    code = write(course, "code.csv", HEADER, BEN)
    staff = BEN.replace("2027-02-12 22:00:00 -0500,00:00:00", "2027-02-15 10:00:00 -0500,59:01:00")
    written = write(course, "written.csv", HEADER, staff)
    ours = write(
        course, "ours.csv", "submission,name,email,sid,created_at,score,max_score,state,why",
        "s1,Ben,ben@example.edu,43,,5,10,graded,",
    )  # fmt: skip
    assert gradebook(course, f"ps1={code}", f"ps1+={written}", f"ps1+={ours}") == 0
    (ben,) = rows(course)
    assert (ben["points"], ben["of"], ben["charged"]) == ("185", "210", "0")
    assert ben["explanation"] == "185 of 210 points, handed in on time."


@pytest.mark.parametrize("mark", ["=", "+="])
def test_points_for_what_was_handed_in_at_no_time_are_refused(
    course: Path, capsys: pytest.CaptureFixture[str], mark: str
) -> None:
    code = write(course, "code.csv", HEADER, ADA, EVE)
    written = write(course, "grades.csv", NBGRADERS, "ps1,,,28.0,eve@example.edu,,,,20.5,20.5")
    assert gradebook(course, f"ps1={code}", f"ps1{mark}{written}") == 1
    said = "grades.csv, row 2: eve@example.edu has 20.5 points for ps1_first, and no export says when"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("words", ["ps1={0}", "ps1+={0}", "ps1={0.parent}/../{0.parent.name}/ps1.csv", "ps2={0}"])
def test_the_same_export_twice_is_refused(course: Path, capsys: pytest.CaptureFixture[str], words: str) -> None:
    file = write(course, "ps1.csv", HEADER, BEN)
    assert gradebook(course, f"ps1={file}", words.format(file)) == 1
    assert "is what ps1.csv for ps1_first is already" in capsys.readouterr().err


def test_a_copy_of_an_export_is_the_same_export(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, copy = write(course, "ps1.csv", HEADER, BEN), write(course, "ps1 (1).csv", HEADER, BEN)
    assert gradebook(course, f"ps1={file}", f"ps1={copy}") == 1
    assert "ps1 (1).csv for ps1_first is what ps1.csv for ps1_first is already" in capsys.readouterr().err


def test_one_file_may_hold_several_assignments(course: Path) -> None:
    """nbgrader's by the sets' names, a course's by the assignments that are named."""
    header = "First Name,Last Name,SID,Email," + ",".join(
        f"{name},{name} - Max Points,{name} - Submission Time,{name} - Lateness (H:M:S)" for name in ("A", "B")
    )
    on_time = "50,50,2027-02-12 22:00:00 -0500,00:00:00"
    whole = write(course, "course.csv", header, f"Ada,Lovelace,0042,ada@example.edu,{on_time},{on_time}")
    theirs = write(
        course, "grades.csv", NBGRADERS,
        "ps1,,,28.0,ada@example.edu,,,,8,8", "ps2,,,28.0,ada@example.edu,,,,9,9",
    )  # fmt: skip
    sources = (f"ps1={whole}#A", f"ps2={whole}#B", f"ps1={theirs}", f"ps2={theirs}")
    assert gradebook(course, *sources) == 0
    assert [row["points"] for row in rows(course)] == ["58", "59"]


def test_an_nbgrader_assignment_of_another_name_is_said_and_can_be_named(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = write(course, "code.csv", HEADER, ADA)
    theirs = write(course, "grades.csv", NBGRADERS, "PS1,,,28.0,ada@example.edu,,,,20,20")
    assert gradebook(course, f"ps1={code}", f"ps1={theirs}") == 1
    said = "grades.csv, column 'assignment': no row is of 'ps1'. Allowed: PS1. Name the assignment, ps1=grades.csv#"
    assert said in capsys.readouterr().err
    assert gradebook(course, f"ps1={code}", f"ps1={theirs}#PS1") == 0
    assert rows(course)[0]["points"] == "100.5"


@pytest.mark.parametrize("header", [HEADER, NBGRADERS])
def test_an_export_of_nobody_is_refused(course: Path, capsys: pytest.CaptureFixture[str], header: str) -> None:
    assert gradebook(course, f"ps1={write(course, 'ps1.csv', header)}") == 1
    assert "ps1.csv: there is a header, and no student under it." in capsys.readouterr().err


EXPORTS = {
    "ps1=code.csv": (HEADER, ADA, BEN, EVE),
    "ps1+=written.csv": (HEADER, BEN.replace("Bitdiddle", "B.").replace(",12,", ",22,")),
    "ps1=grades.csv": (
        *(NBGRADERS, "ps1,,,28.0,ada@example.edu,Lovelace,Augusta Ada,,20.5,20.5"),
        *("ps1,,,28.0,ben@example.edu,,,,0.0,0.0", "ps2,,,28.0,ben@example.edu,,,,1.0,1.0"),
    ),
    "ps2=second.csv": (HEADER, ADA.replace(LATE, "2027-03-18 05:59:00 -0400,125:00:00"), EVE),
    "--extensions=own.csv": (
        *("email,set,due", "eve@example.edu,ps1,2027-02-14T12:00:00", "ben@example.edu,ps2,2027-03-20T12:00:00"),
    ),
}  # fmt: skip


def written_for(exports: list[str], shuffle: random.Random) -> dict[str, bytes]:
    """The gradebook's files from these words, with each file's rows shuffled."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "course.toml").write_text(COURSE)
        words = []
        for word in exports:
            what, _, file = word.partition("=")
            header, *lines = EXPORTS[word]
            words.append(f"{what}={write(folder, file, header, *shuffle.sample(lines, len(lines)))}")
        assert gradebook(folder, *sorted(words, key=lambda word: word.startswith("--"))) == 0
        return {file.name: file.read_bytes() for file in (folder / "grades").iterdir()}


@settings(max_examples=15, deadline=None)
@given(st.permutations(list(EXPORTS)), st.randoms(use_true_random=False))
def test_no_order_of_rows_or_exports_changes_a_byte_of_the_gradebook(
    exports: list[str], shuffle: random.Random
) -> None:
    assert written_for(exports, shuffle) == written_for(list(EXPORTS), random.Random(0))
