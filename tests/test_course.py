"""`course.toml`: what is read, and what each mistake is told."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from autograder.course import CourseError, Gradescope, load_course, read_course, repository_root


def changed(root: Path, old: str, new: str) -> Path:
    file = root / "course.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return file


def test_values_are_read(tiny_course: Path) -> None:
    course = read_course(tiny_course)
    plan = course.problem_set("ps9")
    assert (course.title, course.hidden_seed, course.core_points, course.late.hours) == ("A tiny course", 7, 10, 48)
    assert (plan.short, plan.notebook, plan.questions) == ("ps9", "ps9.ipynb", ("q1_line", "q2_net"))
    assert plan.due.utcoffset() == timedelta(hours=-5)
    assert course.root == tiny_course


def test_a_set_is_found_by_each_of_its_names(tiny_course: Path) -> None:
    course = read_course(tiny_course / "course.toml")
    assert {course.problem_set(name).name for name in ("ps9", "ps9_tiny", "ps9_tiny/")} == {"ps9_tiny"}
    with pytest.raises(CourseError, match=r"no set 'ps9_tinny'.*Did you mean 'ps9_tiny'"):
        course.problem_set("ps9_tinny")


def test_extensions_of_the_term_follow_the_core(tiny_course: Path) -> None:
    changed(tiny_course, "extensions = []", 'extensions = ["x1_parabola"]')
    assert read_course(tiny_course).problem_set("ps9").questions == ("q1_line", "q2_net", "x1_parabola")


def test_the_repository_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert repository_root() == Path(__file__).parents[1]
    assert "ps1_probabilistic" in load_course().sets


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('title = "A tiny', 'titel = "A tiny', r"unknown key 'course\.titel'.*'title'"),
        ("core = 10", "core = 10\ncor = 3", r"unknown key 'points\.cor'.*'core'"),
        ("[late]", "[laet]", r"unknown key 'laet'.*'late'"),
        ("hours = 48", 'hours = "48"', r"late\.hours is '48'; it must be a whole number of hours, 0 or more"),
        ("hours = 48", "hours = true", r"late\.hours is True"),
        ("hours = 48", "", r"late\.hours is missing"),
        ("percent_per_hour = 2", "percent_per_hour = 200", r"percent_per_hour is 200.*from 0 to 100"),
        ("hidden_seed = 7", "hidden_seed = -7", r"course\.hidden_seed is -7"),
        ("America/New_York", "America/Boston", r"course\.timezone is 'America/Boston'"),
        ("https://github.com/tiny/sets", "github.com/tiny/sets", r"course\.mirror is 'github.*OWNER/NAME"),
        ("https://github.com/tiny/sets", "https://github.com/tiny/sets/", r"course\.mirror"),
        ('mirror_ref = "v1"', 'mirror_ref = ""', r"mirror_ref is ''; it must be a branch, tag or commit"),
        ("2027-02-12T23:59:00", "2027-02-12", r"ps9_tiny\.due is .*such as 2027-02-12T23:59:00"),
        ("2027-02-12T23:59:00", "2027-02-12T23:59:00Z", r"due is .* without offset"),
        ("2027-02-12T23:59:00", "2027-03-14T02:30:00", r"due is 2027-03-14 02:30:00, which is not one point in time"),
        ("2027-02-12T23:59:00", "2027-11-07T01:30:00", r"not one point in time in America/New_York: the clocks change"),
        ("sets.ps9_tiny", "sets.tiny", r"set 'tiny' must be called psN_topic"),
        ('["q1_line", "q2_net"]', "[]", r"ps9_tiny\.core is \[\]"),
        ('["q1_line", "q2_net"]', '"q1_line"', r"ps9_tiny\.core is 'q1_line'; it must be a list of question names"),
        ('["q1_line", "q2_net"]', '["q1_line", "q1_line"]', r"lists the question 'q1_line' twice"),
        ('["q1_line", "q2_net"]', '["q1_line", "x1_parabola"]', r"lists the question 'x1_parabola' twice"),
        ('["q1_line", "q2_net"]', '["q1_line", "Net"]', r"the question 'Net'.*'q1_gaussian'"),
        ("extensions = []", 'extensions = ["x1_parabole"]', r"'x1_parabole', which is not available.*'x1_parabola'"),
        ("extensions = []", 'extensions = ["x1_parabola", "x1_parabola"]', r"extensions lists 'x1_parabola' twice"),
        ("[late]", "[late", r"course\.toml is not valid TOML"),
        ("[late]", '[gradescope]\nhidden_tests = "hidden"\n[late]', r"hidden_tests is 'hidden'; .*'after_published'"),
        ("[late]", "[gradescope]\nleaderboard = 1\n[late]", r"gradescope\.leaderboard is 1; it must be true or false"),
        ("[late]", "[gradescope]\nuploads = -1\n[late]", r"gradescope\.uploads is -1"),
        ("[late]", "[gradescope]\nupload = 1\n[late]", r"unknown key 'gradescope\.upload'.*'uploads'"),
    ],
)
def test_a_mistake_is_told_with_key_value_and_what_is_allowed(tiny_course: Path, old: str, new: str, told: str) -> None:
    file = changed(tiny_course, old, new)
    with pytest.raises(CourseError, match=re.compile(told, re.DOTALL)):
        read_course(file)


def test_what_gradescope_shows_may_be_left_out_or_given_in_part(tiny_course: Path) -> None:
    assert read_course(tiny_course).gradescope == Gradescope("visible", leaderboard=False, uploads=0, hours=24)
    file = changed(tiny_course, "[late]", '[gradescope]\nhidden_tests = "after_published"\nuploads = 5\n[late]')
    assert read_course(file).gradescope == Gradescope("after_published", uploads=5)


def test_two_sets_cannot_share_a_number(tiny_course: Path) -> None:
    file = tiny_course / "course.toml"
    again = file.read_text().split("[sets.ps9_tiny]")[1]
    file.write_text(f"{file.read_text()}\n[sets.ps9_other]{again}")
    with pytest.raises(CourseError, match="2 sets are called ps9"):
        read_course(file)


def test_a_folder_without_a_course_is_told(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"no course\.toml in"):
        load_course(tmp_path)
