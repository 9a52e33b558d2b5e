"""What staff download: Gradescope's export, a folder of notebooks; whole, odd and damaged."""

import random
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.batch.download import is_class, read_download
from autograder.batch.entries import Entry, Student, in_order, twice
from autograder.batch.grades import COLUMNS, Graded, grades_csv, plain
from autograder.batch.ruby_yaml import load, moment
from autograder.course import Refusal
from autograder.grading.distinct import distinct

YAML = """\
---
submission_20:
  :submitters:
  - :name: Ada Lovelace
    :sid: '0042'
    :email: ada@example.edu
  - :name: Ben Bitdiddle
    :sid: 43
    :email: ben@example.edu
  :created_at: 2027-02-12 23:15:04.812045000 Z
  :score: 12.5
  :status: processed
  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
    score: 12.5
    tests: []
submission_3:
  :submitters:
  - :name: "=cmd|' /C calc'!A0"
    :email: eve@example.edu
  :created_at: !ruby/object:ActiveSupport::TimeWithZone 2027-02-12 18:15:04 -0500
submission_4:
  :submitters: []
  :created_at: 2027-02-12
submission_5:
  :created_at: 2027-02-12 18:15:04 -0500
"""


@pytest.fixture
def export(tmp_path: Path) -> Path:
    root = tmp_path / "assignment_1_export"
    for name in ("submission_20", "submission_3", "submission_4", "submission_77"):
        (root / name).mkdir(parents=True)
        (root / name / "ps0.ipynb").write_text("{}")
    (root / "submission_metadata.yml").write_text(YAML)
    return root


def zipped(folder: Path, target: Path, inside: str = "") -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{inside}{path.relative_to(folder).as_posix()}")
    return target


def test_an_export_is_read_whole(export: Path, tmp_path: Path) -> None:
    assert is_class(export)
    assert is_class(tmp_path), "its folder will do"
    entries = {entry.name: entry for entry in read_download(export, tmp_path / "work").entries}
    assert list(entries) == ["submission_3", "submission_4", "submission_5", "submission_20", "submission_77"]
    group = entries["submission_20"]
    assert group.students[0] == Student("Ada Lovelace", "ada@example.edu", "0042"), "a leading zero stays"
    assert group.students[1].sid == "43"
    assert group.created_at == "2027-02-12T23:15:04.812045+00:00"
    assert entries["submission_3"].created_at == "2027-02-12T18:15:04-05:00"
    assert "cannot be read as a point in time" in entries["submission_4"].problem
    assert entries["submission_5"].problem == "Its folder is not in the export."
    assert "does not list it" in entries["submission_77"].problem, "no submission is passed over in silence"


@pytest.mark.parametrize("inside", ["", "assignment_1_export/"])
def test_the_zip_of_an_export_is_the_same(export: Path, tmp_path: Path, inside: str) -> None:
    path, work = zipped(export, tmp_path / "e.zip", inside), tmp_path / "work"
    assert is_class(path)
    names = [entry.name for entry in read_download(path, work).entries]
    assert names == [entry.name for entry in read_download(export, work).entries]
    (folder,) = work.iterdir()
    folder.rename(work / f"{folder.name}.partial")  # as an interruption leaves it
    next((work / f"{folder.name}.partial").rglob("*.ipynb")).unlink()
    assert [entry.problem for entry in read_download(path, work).entries].count("Its folder is not in the export.") == 1


def test_what_a_class_zip_may_not_do(tmp_path: Path) -> None:
    path = tmp_path / "e.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("submission_metadata.yml", "submission_1: {}\n")
        archive.writestr("submission_1/ps0.ipynb", "{}")
        archive.writestr("submission_1/../../../escaped", "x")
        link = zipfile.ZipInfo("submission_1/link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    read_download(path, tmp_path / "a" / "work")
    assert not list(tmp_path.rglob("escaped"))
    assert not list(tmp_path.rglob("link"))


@pytest.mark.parametrize(
    "metadata", ["- a list", "homework_1: {}", "a: [", "submission_1: !!python/object:os.system {"]
)
def test_metadata_that_cannot_be_meant_is_refused(export: Path, tmp_path: Path, metadata: str) -> None:
    (export / "submission_metadata.yml").write_text(metadata)
    with pytest.raises(Refusal, match=r"submission_metadata\.yml"):
        read_download(export, tmp_path / "work")


def test_an_upload_over_the_limit_is_said_for_a_person_decides_about_it(export: Path, tmp_path: Path) -> None:
    metadata = export / "submission_metadata.yml"
    kept = "    :extra_data:\n      :kept_from: '2027-02-12T09:00:00-05:00'\n    :tests: []\n"
    metadata.write_text(metadata.read_text().replace("    score: 12.5\n    tests: []\n", kept))
    entries = {entry.name: entry for entry in read_download(export, tmp_path / "work").entries}
    assert "over the limit and shows the result of 2027-02-12T09:00:00-05:00" in entries["submission_20"].remark
    assert not entries["submission_20"].problem, "it is graded"
    assert not entries["submission_3"].remark


def damaged(whole: Path, kind: str) -> Path:
    """The zip with its data overwritten, or the list of its members."""
    data = bytearray(whole.read_bytes())
    start = 30 + len("submission_metadata.yml") if kind == "data" else data.rindex(b"PK\x01\x02")
    data[start : start + 40] = b"\xff" * 40
    whole.write_bytes(data)
    return whole


@pytest.mark.parametrize("kind", ["data", "list"])
def test_a_damaged_zip_is_a_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "e.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("submission_metadata.yml", random.Random(0).randbytes(9000).hex())
    damaged(path, kind)
    assert is_class(path) == (kind == "data"), "a zip that lists nothing goes to the reader of one submission"
    with pytest.raises(Refusal, match=r"e\.zip is a damaged zip .* Download it again\."):
        read_download(path, tmp_path / "work")


def test_a_zip_whose_members_are_in_each_others_way_is_a_sentence(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        archive.writestr("submission_1", "a file")
        archive.writestr("submission_1/ps0.ipynb", "in a folder of that name")
    with pytest.raises(Refusal, match=r"e\.zip cannot be unpacked"):
        read_download(tmp_path / "e.zip", tmp_path / "work")


def test_a_tag_makes_nothing_but_plain_data() -> None:
    assert load("a: !ruby/object:Kernel {b: !ruby/sym c}") == {"a": {"b": "c"}}
    assert load("when: 2027-02-12") == {"when": "2027-02-12"}


@pytest.mark.parametrize("text", ["2027-02-12", "2027-02-12 10:00:00", "soon", 3, None])
def test_a_time_without_offset_is_no_time(text: object) -> None:
    assert moment(text) is None


def test_a_folder_is_a_class_or_one_submission_by_what_lies_in_it(tmp_path: Path) -> None:
    (tmp_path / "ps1.ipynb").write_text("{}")
    (tmp_path / "helpers.py").write_text("")
    assert not is_class(tmp_path), "a notebook and its scripts are a student's"
    (tmp_path / "ben.ipynb").write_text("{}")
    assert is_class(tmp_path)
    (tmp_path / "ps1_gmm.safetensors").write_text("")
    assert not is_class(tmp_path), "an artifact lies beside its notebook"
    assert not is_class(tmp_path / "ps1.ipynb")
    assert not is_class(tmp_path / "nowhere")


def test_a_lone_notebook_is_a_class_of_one(tmp_path: Path) -> None:
    (tmp_path / "ada.ipynb").write_text("{}")
    assert [entry.name for entry in read_download(tmp_path / "ada.ipynb", tmp_path / "work").entries] == ["ada"]
    with pytest.raises(Refusal, match="holds no submissions"):
        read_download((tmp_path / "empty").mkdir() or tmp_path / "empty", tmp_path / "work")


def test_names_that_differ_in_case_alone_get_two_folders() -> None:
    entries = in_order(
        [Entry("Ada", Path("2/Ada")), Entry("ada", Path("1/ada")), Entry("a10", Path()), Entry("a9", Path())]
    )
    assert [entry.name for entry in entries] == ["Ada", "a9", "a10", "ada-2"]


def test_every_submission_gets_a_folder_of_its_own_whatever_others_are_called() -> None:
    entries = in_order(
        [Entry("ada", Path("ada.ipynb")), Entry("ada", Path("ada.py")), Entry("ada-2", Path("ada-2.py"))]
    )
    assert [entry.name for entry in entries] == ["ada", "ada-3", "ada-2"]


@given(st.lists(st.sampled_from(["ada", "Ada", "ada-2", "ADA-2", "ada-2-2", "ada-3", "ben"]), max_size=12))
def test_no_two_names_are_one(names: list[str]) -> None:
    found = distinct(names)
    assert len({name.casefold() for name in found}) == len(names)
    assert all(new.startswith(old) for new, old in zip(found, names, strict=True))


def test_a_student_in_two_submissions_is_said() -> None:
    ada, ben = Student("Ada", "a@x"), Student("Ben", "b@x")
    entries = [Entry("s1", Path(), (ada, ben)), Entry("s2", Path(), (Student("A.", "A@x"),)), Entry("s3", Path())]
    assert twice(entries) == {"s1": ["s2"], "s2": ["s1"]}


def test_a_spreadsheet_runs_nothing_that_a_student_wrote() -> None:
    evil = Entry("s1", Path(), (Student("=cmd|' /C calc'!A0", "@SUM(1)", "+1"), Student("Ok\nNewline", "-x", "7")))
    lines = grades_csv([Graded(evil, {"score": 2.5, "tests": []})]).splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert lines[1] == "s1,'=cmd|' /C calc'!A0,'@SUM(1),'+1,,2.5,,graded,"
    assert lines[2] == "s1,Ok Newline,'-x,7,,2.5,,graded,"
    assert plain("a\r\nb") == "a b"
