"""The student notebook: what it holds, what nbgrader thinks of it, what stops it."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.preprocessors import ClearSolutions
from nbgrader.utils import compute_checksum

from autograder.course import Refusal, read_course
from autograder.release.build import build_release
from autograder.release.clear import clear
from autograder.release.errors import ReleaseError
from autograder.release.reference import reference_notebook
from autograder.source import SourceError, read_set
from pskit.notebook import read_release

Q1 = "solutions/ps9_tiny/q1_line.py"
Q2 = "solutions/ps9_tiny/q2_net.py"
FIGURES = "solutions/ps9_tiny/figures"


def build(root: Path) -> dict[str, bytes]:
    course = read_course(root)
    return build_release(course, course.problem_set("ps9"))


def notebook(root: Path) -> Any:
    return nbformat.reads(build(root)["ps9.ipynb"].decode(), as_version=4)


def cells(root: Path, role: str) -> list[Any]:
    return [cell for cell in notebook(root).cells if cell.metadata["pskit"]["role"] == role]


def change(root: Path, name: str, old: str, new: str) -> None:
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new, 1))


def test_a_region_becomes_a_stub_that_names_question_and_function(tiny_course: Path) -> None:
    line, net = cells(tiny_course, "answer")
    assert line.source == (
        'def mean(values):\n    """The mean of a list."""\n    return sum(values) / len(values)\n\n\n'
        'def fit_line(xs, ys):\n    """Slope and intercept of the points (xs, ys)."""\n'
        '    x, y = mean(xs), mean(ys)\n    raise NotImplementedError("Question 1a: fit_line")'
    )
    assert '        raise NotImplementedError("Question 2a: Net.__init__")\n\n    def forward' in net.source
    assert net.source.endswith('\n        raise NotImplementedError("Question 2a: Net.forward")')


def test_the_untouched_answers_can_be_defined_and_raise_when_called(tiny_course: Path) -> None:
    names: dict[str, Any] = {}
    for cell in cells(tiny_course, "answer"):
        exec(cell.source, names)
    with pytest.raises(NotImplementedError, match="Question 1a: fit_line"):
        names["fit_line"]([1], [1])
    with pytest.raises(NotImplementedError, match=r"Question 2a: Net\.__init__"):
        names["Net"](3)


def test_a_written_cell_is_an_empty_answer_with_points(tiny_course: Path) -> None:
    (cell,) = cells(tiny_course, "written")
    assert (cell.cell_type, cell.source) == ("markdown", "*Your answer here.*")
    entry = cell.metadata["nbgrader"]
    assert (entry["grade"], entry["solution"], entry["points"]) == (True, True, 2)


def test_nbgrader_understands_every_cell(tiny_course: Path) -> None:
    content = notebook(tiny_course)
    MetadataValidator().validate_nb(content)
    for cell in content.cells:
        if "nbgrader" in cell.metadata:
            assert cell.metadata["nbgrader"]["checksum"] == compute_checksum(cell)
    flags = {c.metadata["pskit"]["role"]: c.metadata.get("nbgrader", {}).get("locked") for c in content.cells}
    locked = dict.fromkeys(("text", "given", "check"), True)
    assert flags == locked | {"answer": False, "written": False, "run": None, "artifact": None}


def test_what_students_should_not_edit_is_locked_for_jupyterlab(tiny_course: Path) -> None:
    flags = {
        cell.metadata["pskit"]["role"]: (cell.metadata.get("deletable", True), cell.metadata.get("editable", True))
        for cell in notebook(tiny_course).cells
    }
    assert flags == {
        "text": (False, False),
        "given": (False, False),
        "check": (False, False),
        "answer": (False, True),
        "written": (False, True),
        "run": (True, True),
        "artifact": (True, True),
    }


def test_outputs_of_an_executed_reference_are_cleared(tiny_course: Path) -> None:
    course = read_course(tiny_course)
    source = read_set(course, course.problem_set("ps9"))
    reference = reference_notebook(course, source)
    for cell in reference.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = 3, [nbformat.v4.new_output("stream", text="0.5")]
    assert all(not cell.get("outputs") for cell in clear(reference, source).cells)


class Careless(ClearSolutions):  # type: ignore[misc]
    """Forgets one line of every solution."""

    def _replace_solution_region(self, cell: Any, language: str) -> bool:
        replaced: bool = super()._replace_solution_region(cell, language)
        cell.source += "\n    return x" if replaced and cell.cell_type == "code" else ""
        return replaced


def test_a_line_that_survives_clearing_is_seen_however_short(
    tiny_course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.release.clear.ClearSolutions", Careless)
    with pytest.raises(ReleaseError, match="'return x' of the release is neither public nor a stub"):
        build(tiny_course)


def test_a_build_with_a_leak_is_refused(tiny_course: Path) -> None:
    line = "below = sum((a - x) ** 2 for a in xs)"
    change(tiny_course, "course.toml", "A tiny course", line)
    with pytest.raises(ReleaseError, match=r"nothing was written\.\n  README\.md: solution line of q1_line\.py:\d+"):
        build(tiny_course)


def test_the_notebook_tells_the_grader_what_is_asked(tiny_course: Path, tmp_path: Path) -> None:
    (tmp_path / "ps9.ipynb").write_bytes(build(tiny_course)["ps9.ipynb"])
    release = read_release(tmp_path / "ps9.ipynb")
    assert (release.set, release.names) == ("ps9_tiny", ("fit_line", "Net"))
    assert [(p.part, p.kind, p.points, p.files) for q in release.questions for p in q.parts] == [
        ("1a", "code", 3, ()),
        ("1b", "written", 2, ()),
        ("2a", "code", 2, ()),
        ("2b", "artifact", 3, ("ps9_net.safetensors",)),
    ]


def test_colab_gets_a_gpu_and_keeps_the_ids(tiny_course: Path) -> None:
    content = notebook(tiny_course)
    nbformat.validate(content)
    assert (content.nbformat, content.nbformat_minor, content.metadata["accelerator"]) == (4, 5, "GPU")
    assert content.metadata["kernelspec"]["name"] == "python3"
    assert [cell.id for cell in content.cells] == [cell.metadata["id"] for cell in content.cells]
    assert len({cell.id for cell in content.cells}) == len(content.cells)


def test_placeholders_become_the_courses_values(tiny_course: Path) -> None:
    source = cells(tiny_course, "text")[0].source
    assert source.startswith("# Lines\nDue Friday, 12 February 2027, 23:59 (America/New_York), with 48 late hours. ")
    assert re.fullmatch(
        r"https://github\.com/tiny/sets/raw/v1/wheels/pskit-0%2B\w+-py3-none-any\.whl\.", source.split()[-1]
    )


def test_an_unknown_placeholder_is_refused_with_its_line(tiny_course: Path) -> None:
    change(tiny_course, "solutions/ps9_tiny/intro.py", "{{due}}", "{{dew}}")
    with pytest.raises(SourceError, match=r"intro\.py:3: \{\{dew\}\} stands for nothing. Did you mean 'due'"):
        build(tiny_course)


def test_the_hidden_seed_is_no_placeholder(tiny_course: Path) -> None:
    change(tiny_course, "solutions/ps9_tiny/intro.py", "{{due}}", "{{hidden_seed}}")
    with pytest.raises(SourceError, match="stands for nothing"):
        build(tiny_course)


def test_placeholders_in_an_answer_cell_are_replaced(tiny_course: Path) -> None:
    change(tiny_course, Q1, "The mean of a list.", "The mean of a list, for {{course}}.")
    assert '"""The mean of a list, for A tiny course."""' in cells(tiny_course, "answer")[0].source


def test_magics_are_magics_again(tiny_course: Path) -> None:
    (cell,) = cells(tiny_course, "run")
    assert cell.source == "QUICK = True\n%matplotlib inline"


def test_a_figure_is_inside_the_notebook_and_beside_it(tiny_course: Path) -> None:
    png = (tiny_course / FIGURES / "line.png").read_bytes()
    files = build(tiny_course)
    text = next(cell.source for cell in cells(tiny_course, "text") if "[line.png]:" in cell.source)
    assert "![A line through five points][line.png]" in text
    data = re.search(r"\n\n\[line\.png\]: data:image/png;base64,(\S+)$", text)
    assert data
    assert base64.b64decode(data[1]) == png == files["figures/line.png"]
    assert b"![A line through five points](figures/line.png)" in files["README.md"]


def test_an_extension_that_is_left_out_keeps_its_figure_and_does_not_release_it(tiny_course):
    figures = tiny_course / FIGURES
    (figures / "more.png").write_bytes((figures / "line.png").read_bytes())
    (figures.parent / "x9_more.py").write_text('# %% [markdown] role="text"\n# ![More](figures/more.png)\n')
    assert "figures/more.png" not in build(tiny_course)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("figures/line.png", "figures/lime.png", r"q1_line\.py:5: shows figures/lime\.png, but .* does not exist"),
        ("![A line through five points](figures/line.png)", "", r"line\.png: no text cell shows it"),
        ("![A line through five points]", "![]", r"q1_line\.py:5: .*no text for those who cannot see"),
        ("figures/line.png", "../line.png", r"q1_line\.py:5: '\.\./line\.png' is not in figures/"),
        ("![A line through five points](figures/line.png)", '<img src="figures/line.png">', r":5: write figures as"),
    ],
)
def test_a_figure_that_would_not_be_seen_is_refused(tiny_course: Path, old: str, new: str, told: str) -> None:
    change(tiny_course, Q1, old, new)
    with pytest.raises(SourceError, match=told):
        build(tiny_course)


@pytest.mark.parametrize(
    ("data", "told"), [(b"GIF89a", "not a PNG"), (b"\x89PNG\r\n\x1a\n" + bytes(400_000), "at most")]
)
def test_a_figure_that_is_no_small_png_is_refused(tiny_course: Path, data: bytes, told: str) -> None:
    (tiny_course / FIGURES / "line.png").write_bytes(data)
    with pytest.raises(SourceError, match=told):
        build(tiny_course)


def test_the_readme_tells_points_files_and_how_to_open(tiny_course: Path) -> None:
    text = build(tiny_course)["README.md"].decode()
    address = "https://colab.research.google.com/github/tiny/sets/blob/v1/ps9_tiny/ps9.ipynb"
    assert f"]({address})" in text
    assert "| 1 | Lines | 5 | a code 3, b written 2 |" in text
    assert "| | **total** | **10** |" in text
    assert "`ps9.ipynb` and `ps9_net.safetensors`" in text
    assert "48 late hours" in text


def test_extensions_are_released_when_the_term_has_them(tiny_course: Path) -> None:
    assert b"x1_parabola" not in build(tiny_course)["ps9.ipynb"]
    change(tiny_course, "course.toml", "extensions = []", 'extensions = ["x1_parabola"]')
    files = build(tiny_course)
    assert b"Question x1a: vertex" in files["ps9.ipynb"]
    assert b"| **10** | and 1 for the extensions |" in files["README.md"]


def test_the_reference_keeps_the_solutions(tiny_course: Path) -> None:
    course = read_course(tiny_course)
    reference = reference_notebook(course, read_set(course, course.problem_set("ps9")))
    names: dict[str, Any] = {}
    for cell in reference.cells:
        if cell.metadata["pskit"]["role"] == "answer":
            exec(cell.source, names)
    assert names["fit_line"]([0, 1, 2], [1, 3, 5]) == (2, 1)
    assert [cell.id for cell in reference.cells] == [cell.id for cell in notebook(tiny_course).cells]


@pytest.mark.parametrize("indent", ["", "  ", "            "])
def test_a_marker_at_another_indentation_is_refused(tiny_course: Path, indent: str) -> None:
    change(tiny_course, Q1, "    ### BEGIN SOLUTION", f"{indent}### BEGIN SOLUTION")
    with pytest.raises(SourceError, match="indented"):
        build(tiny_course)


def test_builds_are_byte_identical_wherever_they_run(
    tiny_course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(tiny_course)
    moved = tmp_path / "another name"
    tiny_course.rename(moved)
    monkeypatch.chdir(moved / "solutions")
    assert build(moved) == first
    for text in (first["ps9.ipynb"], first["README.md"]):
        assert str(tmp_path).encode() not in text
        assert text.endswith(b"\n")


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


def test_nothing_of_solutions_or_hidden_tests_is_in_any_string(tiny_course: Path) -> None:
    text = "\n".join(strings(json.loads(build(tiny_course)["ps9.ipynb"])))
    for secret in ("above", "below", "lies on the line", "Gaussian", "logarithms", "exact_line", "BEGIN", "weights)"):
        assert secret not in text


def test_a_solution_that_is_also_public_text_is_no_leak(tiny_course: Path) -> None:
    change(tiny_course, Q1, "assert math.isclose(slope, 2)", "xs, ys = [1.0], [2.0]\nslope = above / below")
    assert build(tiny_course)


def test_a_bad_build_says_so_as_a_refusal(tiny_course: Path) -> None:
    change(tiny_course, Q2, "### END SOLUTION", "### END SOLUTIN")
    with pytest.raises(Refusal):
        build(tiny_course)
