"""Canvas's download: every name that Canvas writes is read, and one stray file makes it nothing else."""

import zipfile
from pathlib import Path

import pytest

from autograder.batch.canvas_names import canvas_name
from autograder.batch.download import is_class, read_download
from autograder.batch.entries import Entry, Student

FILES = ("lovelaceada_101_900_ps1.ipynb", "lovelaceada_101_901_ps1_gmm.safetensors", "bitben_LATE_102_7_ps1-1.ipynb")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "submissions"
    made.mkdir()
    for name in FILES:
        (made / name).write_text("{}")
    return made


def zipped(folder: Path) -> Path:
    target = folder.parent / "submissions.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    return target


def read(path: Path) -> dict[str, Entry]:
    """The entries by name; what is unpacked and sorted lies beside the download."""
    download = read_download(path, path.parent / "work")
    assert download.kind == "a Canvas download"
    return {entry.name: entry for entry in download.entries}


@pytest.mark.parametrize(
    ("name", "who", "user", "original"),
    [
        ("lovelaceada_101_900_ps1.ipynb", "lovelaceada", "101", "ps1.ipynb"),
        ("bitben_LATE_102_7_ps1-1.ipynb", "bitben", "102", "ps1-1.ipynb"),
        ("ada_101_900_ps_1_2_final.ipynb", "ada", "101", "ps_1_2_final.ipynb"),
        ("ada_101_900_2_ps1.ipynb", "ada", "101", "2_ps1.ipynb"),
        ("ada_LATE_101_7_900_ps1.ipynb", "ada", "101", "900_ps1.ipynb"),
        ("team_blue_101_900_ps1.ipynb", "team_blue", "101", "ps1.ipynb"),
        ("group_1_103_900_f", "group_1", "103", "f"),
        ("group_1_LATE_103_900_2_f", "group_1", "103", "2_f"),
        ("lovelaceada_101_text.html", "lovelaceada", "101", "text.html"),
        ("lovelaceada_LATE_101_link.html", "lovelaceada", "101", "link.html"),
        ("anon_ab12c_900_ps1.ipynb", "anon", "ab12c", "ps1.ipynb"),
        ("LATE_anon_12345_900_ps1.ipynb", "anon", "12345", "ps1.ipynb"),
        ("anon_ab12c_text.html", "anon", "ab12c", "text.html"),
    ],
)
def test_every_name_that_canvas_writes_says_whose_it_is(name: str, who: str, user: str, original: str) -> None:
    found = canvas_name(name)
    assert found is not None
    assert (found.who, found.user, found.original) == (who, user, original)


@pytest.mark.parametrize("name", ["ps1.ipynb", "ada_101.ipynb", "ada_101_900_..", "sub/ada_101_900_x", "text.html"])
def test_other_names_are_nobodys(name: str) -> None:
    assert canvas_name(name) is None


def test_files_are_sorted_by_student(folder: Path) -> None:
    assert is_class(folder)
    assert is_class(zipped(folder))
    for entries in (read(folder), read(zipped(folder))):
        assert {name: entry.students[0].sid for name, entry in entries.items()} == {
            "bitben_102": "102",
            "lovelaceada_101": "101",
        }
        lovelace = entries["lovelaceada_101"].path
        assert sorted(path.name for path in lovelace.iterdir()) == ["ps1.ipynb", "ps1_gmm.safetensors"]


def test_one_stray_file_is_named_and_the_class_stays_a_class(folder: Path) -> None:
    (folder / "notes for the grader.txt").write_text("")
    (folder / "lovelaceada_101_text.html").write_text("")
    assert is_class(folder)
    assert is_class(zipped(folder))
    entries = read(zipped(folder))
    assert [name for name, entry in entries.items() if entry.problem] == ["notes for the grader.txt"]
    assert "nobody knows whose it is" in entries["notes for the grader.txt"].problem


def test_who_typed_an_answer_in_is_not_passed_over(folder: Path) -> None:
    (folder / "eve_103_text.html").write_text("my answer")
    assert [path.name for path in read(folder)["eve_103"].path.iterdir()] == ["text.html"]


def test_an_anonymous_student_is_called_by_the_code(tmp_path: Path) -> None:
    folder = tmp_path / "submissions"
    folder.mkdir()
    (folder / "anon_ab12c_900_ps1.ipynb").write_text("{}")
    assert read(folder)["anon_ab12c"].students == (Student(name="anon_ab12c"),)


def test_of_two_files_of_one_name_the_later_one_counts(folder: Path) -> None:
    (folder / "lovelaceada_101_1000_ps1.ipynb").write_text("newer")
    assert (read(folder)["lovelaceada_101"].path / "ps1.ipynb").read_text() == "newer"


def test_what_last_weeks_download_held_is_not_handed_in_again(folder: Path) -> None:
    read(folder)
    (folder / FILES[0]).rename(folder / "lovelaceada_101_950_second try.ipynb")
    found = sorted(path.name for path in read(folder)["lovelaceada_101"].path.iterdir())
    assert found == ["ps1_gmm.safetensors", "second try.ipynb"]
