"""The reference notebook as a namespace: what its cells define, without what they run."""

from pathlib import Path

import pytest

from autograder.course import load_course
from autograder.source import definitions, page
from autograder.source.cells import read_cells

SOURCE = """
# %% role="given" id="setup"
raise RuntimeError("the package is installed already")

# %% role="given"
def half(x):
    return x / 2

# %% [markdown] role="text"
# Halves of halves.

# %% role="answer" part="1a"
def quarter(x):
    ### BEGIN SOLUTION
    return half(half(x))
    ### END SOLUTION

# %% role="run"
def eighth(x):
    return half(quarter(x))

with experiment("halves"):
    def sixteenth(x):
        return half(eighth(x))
    result = sixteenth(1)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "q1_halves.py").write_text(SOURCE.lstrip(), encoding="utf-8")
    return tmp_path


def test_given_code_and_answers_are_there_and_no_experiment(folder: Path) -> None:
    found = definitions(folder, ["q1_halves"])
    assert found["quarter"](8) == 2
    assert not {"eighth", "sixteenth", "result"} & set(found)


def test_of_an_experiment_only_what_it_defines(folder: Path) -> None:
    found = definitions(folder, ["q1_halves"], experiments=True)
    assert found["sixteenth"](16) == 1
    assert "result" not in found


def test_the_four_notebooks_are_set_up_alike() -> None:
    """The cell stands in each intro, so that sources stay notebooks; a change of one is a change of all."""
    course = load_course()
    cells = {
        name: cell.source
        for name in course.sets
        for cell in read_cells(page(course.root / "solutions" / name, "intro"), "intro")
        if cell.id == "setup"
    }
    assert len(cells) == len(course.sets)
    assert len(set(cells.values())) == 1
