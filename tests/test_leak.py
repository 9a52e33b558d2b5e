"""The leak check finds what is planted, wherever, and nothing else."""

import html
import io
import json
import textwrap
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder.course import read_course
from autograder.release.build import release_files
from autograder.release.errors import ReleaseError
from autograder.release.leak import find_leaks, refuse_leaks
from autograder.release.secrets import Secret, collect_secrets
from autograder.source import read_set

PLANTED = {
    "solution line": "above = sum((a - x) * (b - y) for a, b in zip(xs, ys))",
    "short solution line": "slope = above / below",
    "line of a method": "return sum(w * x for w, x in zip(self.weights, xs))",
    "code before a comment": "below = sum((a - x) ** 2 for a in xs)",
    "comment": "# the middle of the data lies on the line",
    "trailing comment": "x = 3  # never zero for two different points",
    "model answer": "Squares are the likelihood of Gaussian noise.",
    "wrapped answer": "Every error is independent of\nthe others, so that\nthe logarithms of their densities add up.",
    "mark scheme": "names Gaussian noise as the model",
    "wrapped mark scheme": "takes logarithms of the product of all densities",
    "hidden test's name": "test_slope_of_an_exact_line",
    "hidden test's file": "autograder/hidden/test_q1_line.py",
    "hidden test's line": "got_slope, got_intercept = ps.fit_line([0.0, 1.0, 4.0], [3.5, 3.0, 1.5])",
    "hint": "does it pass through the middle?",
    "variant": "right_slope, right_intercept = fit_line(xs, ys)",
}
every_plant = pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED.keys())


@pytest.fixture(scope="module")
def built(shared_tiny_course: Path) -> tuple[tuple[Secret, ...], dict[str, bytes]]:
    """The secrets of the tiny course, extensions included, and the files of its release."""
    course = read_course(shared_tiny_course)
    plan = course.problem_set("ps9")
    source = read_set(course, replace(plan, extensions=plan.available))
    return collect_secrets(shared_tiny_course, [source]), release_files(course, source)


@pytest.fixture
def release(built: tuple[tuple[Secret, ...], dict[str, bytes]], tmp_path: Path) -> tuple[tuple[Secret, ...], Path]:
    """The secrets, and the release in a folder that the test may change."""
    secrets, files = built
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return secrets, tmp_path


def edit(folder: Path, change: Any) -> None:
    """Apply a change to the release's notebook as JSON."""
    path = folder / "ps9.ipynb"
    notebook = json.loads(path.read_text())
    change(notebook)
    path.write_text(json.dumps(notebook, indent=1))


def said(secrets: tuple[Secret, ...], path: Path) -> str:
    return "\n".join(map(str, find_leaks(secrets, path)))


def test_a_release_has_no_leak(release: tuple[tuple[Secret, ...], Path]) -> None:
    secrets, folder = release
    assert len(secrets) > 30
    assert find_leaks(secrets, folder) == ()


@every_plant
def test_planted_in_a_cell(release: tuple[tuple[Secret, ...], Path], planted: str) -> None:
    secrets, folder = release
    edit(folder, lambda notebook: notebook["cells"][4]["source"].append("\n" + textwrap.indent(planted, "        ")))
    assert said(secrets, folder / "ps9.ipynb").startswith("ps9.ipynb, cell 5: ")


@every_plant
def test_planted_in_an_output(release: tuple[tuple[Secret, ...], Path], planted: str) -> None:
    secrets, folder = release
    output = {"output_type": "stream", "name": "stdout", "text": [line + "\n" for line in planted.split("\n")]}
    edit(folder, lambda notebook: notebook["cells"][1]["outputs"].append(output))
    assert "ps9.ipynb, cell 2 (outputs): " in said(secrets, folder)


@every_plant
@pytest.mark.parametrize("where", ["cell", "notebook"])
def test_planted_in_metadata(release: tuple[tuple[Secret, ...], Path], planted: str, where: str) -> None:
    secrets, folder = release

    def plant(notebook: Any) -> None:
        target = notebook if where == "notebook" else notebook["cells"][0]
        target["metadata"]["notes"] = {"deep": [1, {"deeper": planted}]}

    edit(folder, plant)
    assert "metadata" in said(secrets, folder)


@every_plant
@pytest.mark.parametrize("name", ["pskit/plots.py", "README.md"])
def test_planted_in_another_file(release: tuple[tuple[Secret, ...], Path], planted: str, name: str) -> None:
    secrets, folder = release
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(f"before\n{planted}\nafter\n")
    assert f"{name}: " in said(secrets, folder)


@every_plant
def test_planted_in_a_zip_in_a_zip(release: tuple[tuple[Secret, ...], Path], planted: str) -> None:
    secrets, folder = release
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sets/notes.md", planted)
    with zipfile.ZipFile(folder / "students.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "ps9.ipynb", "ps9.ipynb")
        archive.writestr("more.zip", inner.getvalue())
    assert "students.zip/more.zip/sets/notes.md: " in said(secrets, folder)


LINE = PLANTED["solution line"]


@pytest.mark.parametrize(
    "disguised",
    [
        f"# {LINE}",
        f">>> {LINE}",
        LINE.replace(" ", ""),
        LINE.replace(" ", "\t"),
        f"----> 3     {LINE}",
        f"      3     {LINE}",
        "\x1b[0;32m      3\x1b[0m " + LINE.replace("=", "\x1b[0;34m=\x1b[0m"),
        f'"{LINE}"',
        repr(f"def f():\n    {LINE}\n"),
        html.escape(LINE.replace("=", "<span>=</span>"))
        .replace("&lt;span&gt;", "<b>")
        .replace("&lt;/span&gt;", "</b>"),
        f"{LINE}  # my own idea",
        "----> 3 slope = above / below",
        f"if True: {LINE}",
    ],
)
def test_a_line_is_found_in_disguise(release: tuple[tuple[Secret, ...], Path], disguised: str) -> None:
    secrets, folder = release
    edit(folder, lambda notebook: notebook["cells"][1]["outputs"].append({"data": {"text/html": disguised}}))
    assert said(secrets, folder)


def test_short_lines_are_found_one_below_the_other(release: tuple[tuple[Secret, ...], Path]) -> None:
    secrets, folder = release
    text = "the answer: 'slope = above / below\\nreturn slope, y - slope * x', of course"
    (folder / "notes.md").write_text(text)
    assert "slope = above / below" in said(secrets, folder)


@pytest.mark.parametrize(
    "harmless",
    [
        "x, y = mean(xs), mean(ys)",
        "return x",
        "import math",
        "A line has a slope $a$ and an intercept $b$.",
        "The slope is above, the intercept below.",
        "Gaussian noise is added.",
        "slope = 3",
        "from autograder.testing import expect_close, points",
    ],
)
def test_what_is_public_or_everyday_is_no_leak(release: tuple[tuple[Secret, ...], Path], harmless: str) -> None:
    secrets, folder = release
    (folder / "notes.py").write_text(f"{harmless}\n")
    assert find_leaks(secrets, folder) == ()


def test_a_short_line_of_pskit_is_no_secret(tiny_course: Path) -> None:
    (tiny_course / "pskit").mkdir()
    (tiny_course / "pskit" / "fits.py").write_text("slope = above / below\n")
    course = read_course(tiny_course)
    secrets = collect_secrets(tiny_course, [read_set(course, course.problem_set("ps9"))])
    assert find_leaks(secrets, tiny_course / "pskit") == ()


def test_pictures_and_binary_files_hold_no_text(release: tuple[tuple[Secret, ...], Path]) -> None:
    secrets, folder = release
    (folder / "figure.png").write_bytes(b"\x89PNG\r\n\x1a\n\0" + LINE.encode())
    assert find_leaks(secrets, folder) == ()


def test_what_cannot_be_searched_is_refused(release: tuple[tuple[Secret, ...], Path]) -> None:
    secrets, folder = release
    (folder / "notes.tar.gz").write_bytes(b"\x1f\x8b")
    with pytest.raises(ReleaseError, match=r"notes\.tar\.gz cannot be searched"):
        find_leaks(secrets, folder)


def test_a_zip_with_a_password_is_refused(release: tuple[tuple[Secret, ...], Path]) -> None:
    secrets, _ = release
    with pytest.raises(ReleaseError, match=r"password\.zip/.* cannot be searched"):
        find_leaks(secrets, Path(__file__).parent / "fixtures" / "submissions" / "password.zip")


def test_a_broken_notebook_is_searched_as_text(release: tuple[tuple[Secret, ...], Path]) -> None:
    secrets, folder = release
    (folder / "broken.ipynb").write_text(json.dumps({"cells": [{"source": [LINE]}]})[:-2])
    assert "broken.ipynb: " in said(secrets, folder)


def test_the_message_names_place_kind_and_source(
    release: tuple[tuple[Secret, ...], Path], shared_tiny_course: Path
) -> None:
    secrets, folder = release
    source = (shared_tiny_course / "solutions/ps9_tiny/q1_line.py").read_text().split("\n")
    number = next(n for n, text in enumerate(source, start=1) if LINE in text)
    (folder / "notes.md").write_text(LINE)
    assert said(secrets, folder) == f"notes.md: solution line of q1_line.py:{number}: {LINE!r}"


def test_a_build_with_a_leak_is_refused(tiny_course: Path) -> None:
    course = read_course(tiny_course)
    source = read_set(course, course.problem_set("ps9"))
    secrets = collect_secrets(tiny_course, [source])
    with pytest.raises(ReleaseError, match=r"README\.md: solution line of q1_line\.py:\d+"):
        refuse_leaks(secrets, {"README.md": LINE.encode()})
