"""What is read from a question's source, and what stops the build: each with its line and a sentence."""

import re
from pathlib import Path

import pytest

from autograder.course import read_course
from autograder.grading.student import Student
from autograder.source import Question, SourceError, SourceSet, read_question, read_set
from autograder.source.cells import RESERVED
from autograder.source.markers import is_near_marker

Q1 = "solutions/ps9_tiny/q1_line.py"
Q2 = "solutions/ps9_tiny/q2_net.py"
INTRO = "solutions/ps9_tiny/intro.py"
TESTS = "autograder/hidden/ps9_tiny/test_q1_line.py"


def read(root: Path) -> SourceSet:
    course = read_course(root)
    return read_set(course, course.problem_set("ps9"))


def question(root: Path) -> Question:
    return read_question(root / Q1)


def change(root: Path, name: str, old: str, new: str) -> int:
    """Replace the first occurrence of `old`; the line where it began."""
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def refusal(root: Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(root)
    return caught.value


def test_a_question_is_read_with_its_parts_and_names(tiny_course: Path) -> None:
    q1, q2 = read(tiny_course).questions
    assert (q1.name, q1.number, q1.title, q1.points) == ("q1_line", "1", "Lines", 5)
    assert [(p.part, p.kind, p.points, p.title) for p in q1.parts] == [
        ("1a", "code", 3, "Fit"),
        ("1b", "written", 2, "Why squares?"),
    ]
    assert [cell.names for cell in q1.cells if cell.role == "answer"] == [("fit_line",)]
    assert [r.name for cell in q2.cells for r in cell.regions] == ["Net.__init__", "Net.forward"]
    assert [cell.file for cell in q2.cells if cell.role == "artifact"] == ["ps9_net.safetensors"]


@pytest.mark.parametrize(
    ("lost", "shown"), [("\alpha", "x07"), ("\bar", "x08"), ("\varepsilon", "x0b"), ("\frac", "x0c")]
)
def test_a_formula_that_lost_its_backslash_is_refused(tiny_course: Path, lost: str, shown: str) -> None:
    line = change(tiny_course, Q1, "# %% [markdown]", f'# %% [markdown] role="text"\n# ${lost}$\n\n# %% [markdown]')
    assert str(refusal(tiny_course)).endswith(
        f"q1_line.py:{line + 1}: holds the control character '\\{shown}'; was it a backslash once?"
    )


def test_lines_are_those_of_the_file(tiny_course: Path) -> None:
    lines = (tiny_course / Q1).read_text().split("\n")
    for cell in question(tiny_course).cells:
        assert lines[cell.line - 1].startswith("# %%")
        assert cell.source.split("\n")[0] == re.sub(r"^# ", "", lines[cell.first_line - 1])
        for region in cell.regions:
            assert "### BEGIN" in lines[region.first_line - 1]
            assert "### END" in lines[region.last_line - 1]


def test_ids_do_not_move_when_another_part_gets_a_cell(tiny_course: Path) -> None:
    before = [cell.id for cell in question(tiny_course).cells]
    change(tiny_course, Q1, '# %% role="check" part="1a"', '# %% role="run"\npass\n\n# %% role="check" part="1a"')
    after = [cell.id for cell in question(tiny_course).cells]
    assert [id for id in after if id != "q1_line-run"] == before


@pytest.mark.parametrize(
    "wrong",
    [
        "### BEGIN SOLUTON",
        "# BEGIN SOLUTION",
        "## BEGIN SOLUTION",
        "#### BEGIN SOLUTION",
        "###BEGIN SOLUTION",
        "### begin solution",
        "### Begin Solution",
        "### BEGIN SOLUTIONS",
        "### BEGIN SOLUTION:",
        "### BEGIN  SOLUTION",
        "### BEGIN_SOLUTION",
        "### BEGINSOLUTION",
        "### BEGN SOLUTION",
        "### BEGIN SOULTION",
        "### BEGIN ANSWER",
        "### BEGIN",
        "### START SOLUTION",
        "### BEGIN THE SOLUTION",
        "### BEGIN YOUR SOLUTION HERE",
        "slope = 0  ### BEGIN SOLUTION",
        "slope = 0  # BEGIN SOLUTON",
        "# --- begin solution ---",
        "### BEGIN MARKSCHEME",
        "### BEGIN HIDDEN TESTS",
        "### BGIN SLUTIN",
        "slope = 0  # as in the ### BEGIN SOLUTION of the other question, where it is longer",
    ],
)
@pytest.mark.parametrize("also", [True, False], ids=["instead", "besides"])
def test_nearly_a_marker_stops_the_build(tiny_course: Path, wrong: str, also: bool) -> None:
    line = change(tiny_course, Q1, "### BEGIN SOLUTION", f"### BEGIN SOLUTION\n    {wrong}" if also else wrong)
    error = refusal(tiny_course)
    assert (error.line, error.file.name) == (line + also, "q1_line.py")
    assert "nearly a marker" in error.sentence


@pytest.mark.parametrize(
    "wrong",
    ["### END SOLUTIONS", "### END SOLTON", "### END SOLUTON", "## END SOLUTION", "### end solution", "### END"],
)
def test_nearly_an_end_stops_the_build(tiny_course: Path, wrong: str) -> None:
    line = change(tiny_course, Q1, "### END SOLUTION", wrong)
    assert refusal(tiny_course).line == line


@pytest.mark.parametrize(
    "wrong", ["## BEGIN MARK SCHEME", "### BEGIN MARKING SCHEME", "### Begin mark scheme", "### BEGIN MARK SHEME"]
)
def test_nearly_a_mark_scheme_stops_the_build(tiny_course: Path, wrong: str) -> None:
    line = change(tiny_course, Q1, "### BEGIN MARK SCHEME", wrong)
    assert refusal(tiny_course).line == line


@pytest.mark.parametrize(
    "comment",
    [
        "the solution",
        "a solution begins here and goes on",
        "begin with the mean",
        "end of the loop",
        "see the answer above",
        "at the beginning of the solution we centre",
        "this ends the sum",
        "the marks",
    ],
)
def test_ordinary_comments_are_no_markers(tiny_course: Path, comment: str) -> None:
    change(tiny_course, Q1, "    slope = above / below", f"    # {comment}\n    slope = above / below")
    assert read(tiny_course)


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("    ### END SOLUTION\n", "", "### BEGIN SOLUTION", "does not end in its cell"),
        ("    ### BEGIN SOLUTION\n", "", "### END SOLUTION", "ends here that has not begun"),
        (
            "    slope = above",
            "    ### BEGIN SOLUTION\n    slope = above",
            "### BEGIN SOLUTION",
            "begins inside the solution",
        ),
        ("# ### END SOLUTION\n# ### BEGIN MARK", "# ### BEGIN MARK", "# ### BEGIN MARK SCHEME", "begins inside"),
        ("# ### END MARK SCHEME", "# ### END SOLUTION", "# ### END SOLUTION", "a solution ends here"),
        ("    ### BEGIN SOLUTION", "    ### BEGIN MARK SCHEME", "### END SOLUTION", "a solution ends here"),
    ],
)
def test_unbalanced_markers_stop_the_build(tiny_course: Path, old: str, new: str, line: str, told: str) -> None:
    change(tiny_course, Q1, old, new)
    error = refusal(tiny_course)
    assert told in error.sentence
    assert (tiny_course / Q1).read_text().split("\n")[error.line - 1].strip() == line


def slips(marker: str) -> set[str]:
    """A marker with one letter left out, doubled, replaced, in the other case, or exchanged with the next."""
    found = {marker.lower(), marker.title()}
    for i, letter in enumerate(marker):
        before, after = marker[:i], marker[i + 1 :]
        found |= {before + after, before + letter * 2 + after, f"{before}Q{after}", before + letter.swapcase() + after}
        found.add(before + after[:1] + letter + after[1:])
    return found - {marker}


@pytest.mark.parametrize("marker", ["SOLUTION", "MARK SCHEME"])
@pytest.mark.parametrize("verb", ["BEGIN", "END"])
def test_every_single_slip_in_a_marker_is_seen(verb: str, marker: str) -> None:
    assert [slip for slip in sorted(slips(f"### {verb} {marker}")) if not is_near_marker(f"    {slip}")] == []


HEADER = '# %% role="answer" part="1a"'
WRITTEN = '# %% [markdown] role="written" part="1b"'


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (HEADER, '# %% role="anser" part="1a"', "no role 'anser'. Did you mean 'answer'?"),
        (HEADER, '# %% part="1a"', "the cell has no role"),
        (HEADER, '# %% role="answer" parts="1a"', "no key 'parts'. Did you mean 'part'?"),
        (HEADER, '# %% role="answer"', 'needs part="..."'),
        (HEADER, '# %% role="given" part="1a"', "a cell of role given has no key 'part'"),
        (HEADER, "# %% role=answer", "header cannot be read"),
        (HEADER, f"#{HEADER[2:]}", "header cannot be read"),
        (HEADER, HEADER.replace("%%", "%"), "begins with '# %% '"),
        (HEADER, HEADER.replace("%%", "% %"), "begins with '# %% '"),
        (HEADER, HEADER.replace("1a", "1c"), "part '1c' is not of this question, which has 1a, 1b"),
        (HEADER, HEADER.replace("1a", "1b"), "a cell of role answer does not fit 1b, a written part"),
        (WRITTEN, WRITTEN.replace(" [markdown]", ""), "written must be a markdown cell, not code"),
        (WRITTEN, WRITTEN.replace("1b", "1a"), "a cell of role written does not fit 1a, a code part"),
        (WRITTEN, '# %% [markdown] role="text"', "a cell of role text holds no solution"),
        (HEADER, HEADER.replace("answer", "check"), "a cell of role check holds no solution"),
        (HEADER, HEADER + ' id="a b"', "id 'a b' may hold letters"),
        (HEADER, HEADER + ' id="imports"', "id 'imports' is taken by the cell at intro.py:5"),
        ("# %% [markdown] role", '"""A docstring."""\n# %% [markdown] role', "before the first cell header"),
        (
            f"{WRITTEN}\n",
            f'# %% [markdown] role="text"\n"""\nSay it.\n"""\n\n{WRITTEN}\n',
            "write markdown as comments",
        ),
        ("## 1. Lines (5 points)", "## 1. Lines (6 points)", "says 6 points, but the parts sum to 3 + 2 = 5"),
        ("## 1. Lines (5 points)", "## 1. Lines", "neither a question's heading"),
        ("## 1. Lines (5 points)", "## Lines (5 points)", "neither a question's heading"),
        ("## 1. Lines (5 points)", "Lines", "one heading"),
        ("## 1. Lines (5 points)", "## 2. Lines (5 points)", "part 1a stands where 2a belongs"),
        ("### 1a. Fit (code, 3 points)", "### 1a. Fit (coding, 3 points)", "neither a question's heading"),
        ("### 1a. Fit (code, 3 points)", "### 1a. Fit (code 3 points)", "neither a question's heading"),
        ("### 1a. Fit (code, 3 points)", "### 1b. Fit (code, 3 points)", "part 1b stands where 1a belongs"),
        ("### 1a. Fit (code, 3 points)", "### 1a. Fit (written, 3 points)", "does not fit 1a"),
        ("    return slope, y - slope * x", "    return slope, y - slope * (x", "is not valid Python"),
        ("# - 1 point: names", "# - one point: names", "gives no points"),
        ("# - 1 point: names", "# - 2 points: names", "says 2 points, but its mark scheme sums to 3"),
        ("# ### BEGIN MARK", "# Also say this.\n# ### BEGIN MARK", "outside its regions"),
    ],
)
def test_a_mistake_in_a_source_stops_the_build(tiny_course: Path, old: str, new: str, told: str) -> None:
    change(tiny_course, Q1, old, new)
    error = refusal(tiny_course)
    assert told in error.sentence
    assert error.file.name == "q1_line.py"


@pytest.mark.parametrize("name", RESERVED)
def test_a_function_that_hidden_tests_could_not_call_stops_the_build(tiny_course: Path, name: str) -> None:
    change(tiny_course, Q1, "def fit_line(", f"def {name}(")
    assert f"hidden tests call ps.{name} for something else" in refusal(tiny_course).sentence


def test_every_method_of_ps_is_reserved() -> None:
    assert {name for name in vars(Student) if not name.startswith("_")} == set(RESERVED)


def test_the_message_names_file_and_line(tiny_course: Path) -> None:
    line = change(tiny_course, Q1, 'role="check"', 'role="chek"')
    assert str(refusal(tiny_course)).startswith(f"{tiny_course / Q1}:{line}: there is no role 'chek'.")


def test_an_answer_without_a_region_stops_the_build(tiny_course: Path) -> None:
    text = (tiny_course / Q1).read_text()
    text = text.replace("    ### BEGIN SOLUTION\n", "", 1).replace("    ### END SOLUTION\n", "", 1)
    (tiny_course / Q1).write_text(text)
    assert "students would get the answer" in refusal(tiny_course).sentence


def test_a_solution_outside_functions_stops_the_build(tiny_course: Path) -> None:
    change(
        tiny_course, Q1, "def mean(values):", "### BEGIN SOLUTION\nfive = 5\n### END SOLUTION\n\n\ndef mean(values):"
    )
    assert "inside a function or a method" in refusal(tiny_course).sentence


def test_an_empty_solution_stops_the_build(tiny_course: Path) -> None:
    change(
        tiny_course,
        Q1,
        "    ### BEGIN SOLUTION",
        "    ### BEGIN SOLUTION\n    # soon\n    ### END SOLUTION\n    ### BEGIN SOLUTION",
    )
    assert "is empty" in refusal(tiny_course).sentence


def test_a_header_inside_a_string_stops_the_build(tiny_course: Path) -> None:
    change(tiny_course, Q1, '    """The mean of a list."""', '    """The mean.\n\n# %% role="run"\n    """')
    assert "a header stands inside a string" in refusal(tiny_course).sentence


def test_a_part_without_its_cell_stops_the_build(tiny_course: Path) -> None:
    change(tiny_course, Q2, '# %% role="artifact" part="2b" file="ps9_net.safetensors"', '# %% role="run"')
    assert "part 2b needs exactly one cell of role artifact; it has 0" in refusal(tiny_course).sentence


def test_two_artifacts_in_one_part_stop_the_build(tiny_course: Path) -> None:
    header = '# %% role="artifact" part="2b" file="ps9_net.safetensors"'
    change(tiny_course, Q2, header, f"{header}\npass\n\n{header}")
    assert "part 2b needs exactly one cell of role artifact; it has 2" in refusal(tiny_course).sentence


def test_headings_inside_a_fence_are_no_headings(tiny_course: Path) -> None:
    change(tiny_course, Q1, "# Least squares.", "# ```\n# ## 7. Not a heading (3 points)\n# ```")
    assert len(question(tiny_course).parts) == 2


def test_an_answer_under_another_parts_heading_stops_the_build(tiny_course: Path) -> None:
    text = (tiny_course / Q2).read_text()
    moved = text[text.index('# %% role="answer"') : text.index("# %% [markdown]", 10)]
    (tiny_course / Q2).write_text(text.replace(moved, "") + f"\n\n{moved}")
    assert "of part 2a stands under the heading of 2b" in refusal(tiny_course).sentence


@pytest.mark.parametrize("name", ["weights.pt", "a/b.safetensors", ""])
def test_an_artifact_is_a_plain_safetensors_name(tiny_course: Path, name: str) -> None:
    change(tiny_course, Q2, 'file="ps9_net.safetensors"', f'file="{name}"')
    assert "file=" in refusal(tiny_course).sentence


def test_the_same_name_in_two_questions_stops_the_build(tiny_course: Path) -> None:
    change(tiny_course, Q2, "class Net:", "class fit_line:")
    assert "fit_line is already asked for in q1_line.py, part 1a" in refusal(tiny_course).sentence


def test_a_part_in_the_intro_stops_the_build(tiny_course: Path) -> None:
    change(tiny_course, INTRO, '# %% role="run" id="quick"', '# %% role="check" part="1a"')
    assert "the intro has no parts" in refusal(tiny_course).sentence


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("@points(2,", "@points(3,", "the heading of 1a says 3 points, but its tests in test_q1_line.py sum to 4"),
        ('part="1a"', 'part="1d"', "gives points to part '1d'; parts with tests: 1a"),
        ('part="1a"', 'part="1b"', "gives points to part '1b'"),
        ('@points(2, part="1a", hint="is the slope a ratio?")\n', "", "test_slope_of_an_exact_line has no @points"),
        ("@points(2,", "@points(TWO,", "plain values"),
        ("def test_slope", "def tset(:\n\ndef test_slope", "is not valid Python"),
    ],
)
def test_points_of_hidden_tests_are_compared(tiny_course: Path, old: str, new: str, told: str) -> None:
    change(tiny_course, TESTS, old, new)
    assert told in refusal(tiny_course).sentence


def test_hidden_tests_are_not_executed(tiny_course: Path) -> None:
    change(tiny_course, TESTS, "from autograder.testing", "raise SystemExit\nfrom autograder.testing")
    assert read(tiny_course)


def test_missing_hidden_tests_stop_the_build(tiny_course: Path) -> None:
    (tiny_course / TESTS).unlink()
    assert "has no hidden tests; test_q1_line.py is missing" in refusal(tiny_course).sentence


@pytest.mark.parametrize("name", ["q2_net", "intro", "outro"])
def test_a_listed_question_without_a_source_stops_the_build(tiny_course: Path, name: str) -> None:
    (tiny_course / f"solutions/ps9_tiny/{name}.py").unlink()
    assert f"{name}.py: does not exist, but " in str(refusal(tiny_course))


def test_the_core_sums_to_the_courses_points(tiny_course: Path) -> None:
    change(tiny_course, "course.toml", "core = 10", "core = 100")
    assert "sum to 10 points, not points.core = 100 (q1_line 5, q2_net 5)" in refusal(tiny_course).sentence


def test_an_extension_does_not_count_to_the_core(tiny_course: Path) -> None:
    change(tiny_course, "course.toml", "extensions = []", 'extensions = ["x1_parabola"]')
    assert [q.number for q in read(tiny_course).questions] == ["1", "2", "x1"]


def test_windows_line_ends_change_nothing(tiny_course: Path) -> None:
    before = question(tiny_course)
    file = tiny_course / Q1
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert question(tiny_course) == before
