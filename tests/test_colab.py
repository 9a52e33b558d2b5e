"""The student's path in an environment like Colab's: from the mirror to a graded submission, for every set.

The environment has Colab's versions where they matter to notebooks (tests/colab/requirements.txt), a google.colab that
speaks to the page as the real one does, and no pskit: the setup cell installs it from a mirror on this machine. What it
does not have: Colab's Python, its GPU, its build of torch, and its page.
"""

import json
import re
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.cli import main
from autograder.course import Course, load_course, read_course
from autograder.release.reference import reference_notebook
from autograder.source import read_set
from tests.colab.page import Page, downloads
from tests.few_steps import cut_short, excused
from tests.machines import Machine, colab_machine, errors, text_of
from tests.mirrors import published

SETS = list(load_course().sets.values())
# The shortest runs whole; of the others, whose trainings take minutes, a few steps here and the whole in a slow test.
WHOLE = [pytest.param(plan, False, id=f"{plan.short}-few steps") for plan in SETS[1:]]
WHOLE += [
    pytest.param(plan, True, id=f"{plan.short}-whole", marks=pytest.mark.slow if plan != SETS[0] else ())
    for plan in SETS
]
RESULTS = "import json; print(json.dumps({part: each['state'] for part, each in check.results.items()}))"
IMAGE = re.compile(r"!\[(.*?)\]")


@dataclass(frozen=True)
class Published:
    """A mirror that is served, the repository that it was published from, and a machine like Colab's."""

    mirror: Path
    course: Course
    machine: Machine


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("colab")
    machine = colab_machine(folder / "machine")
    with pytest.MonkeyPatch.context() as patch:
        for who in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{who}_NAME", "t")
            patch.setenv(f"GIT_{who}_EMAIL", "t")
        with published(folder, *(plan.short for plan in SETS)) as mirror:
            yield Published(mirror, read_course(folder / "repository"), machine)


def ran(world: Published, notebook: Any, folder: Path) -> Any:
    """The notebook after a run from top to bottom, as on Colab's page."""
    notebook.cells.append(nbformat.v4.new_code_cell(RESULTS))
    return world.machine.run(notebook, folder, Page)


def states(notebook: Any, without: Collection[str] = ()) -> set[str]:
    """What the public checks of all parts said, but of those that are left out."""
    return {state for part, state in json.loads(text_of(notebook.cells[-1])).items() if part not in without}


def submission(notebook: Any) -> str:
    """What the submission cell printed."""
    return text_of(next(cell for cell in notebook.cells if cell.source.startswith("submit(")))


def assert_pictures_have_words(notebook: Any) -> None:
    """Every picture that a text shows and every one that a cell draws says what is to be seen."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert all(alt.strip() for alt in IMAGE.findall(cell.source)), cell.source[:200]
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                assert output.metadata.get("image/png", {}).get("alt", "").strip(), cell.source[:400]


@pytest.mark.parametrize("plan", SETS, ids=lambda plan: plan.short)
def test_an_untouched_release_runs_to_its_end(plan: Any, world: Published, tmp_path: Path) -> None:
    notebook = ran(world, nbformat.read(world.mirror / plan.name / plan.notebook, as_version=4), tmp_path)
    assert errors(notebook) == []
    assert states(notebook) == {"not implemented"}
    assert_pictures_have_words(notebook)
    assert downloads(notebook) == [f"{plan.short}_submission.zip"]
    assert "not implemented yet" in submission(notebook)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("plan", "whole"), WHOLE)
def test_a_solved_notebook_passes_and_its_submission_gets_full_marks(
    plan: Any, whole: bool, world: Published, tmp_path: Path
) -> None:
    solved = reference_notebook(world.course, read_set(world.course, world.course.problem_set(plan.short)))
    if not whole:
        cut_short(solved, plan.short)
    notebook = ran(world, solved, tmp_path)
    assert errors(notebook) == []
    assert states(notebook, set() if whole else excused(plan.short)) == {"passed"}
    assert_pictures_have_words(notebook)
    said, file = submission(notebook), tmp_path / f"{plan.short}_submission.zip"
    assert downloads(notebook) == [file.name]
    assert "Nothing looks wrong." in said
    assert main(["grade", plan.short, str(file), "-o", str(tmp_path / "graded")]) == 0
    (results,) = (tmp_path / "graded").rglob("results.json")
    graded = json.loads(results.read_text())
    assert lost(graded) <= trained_parts(notebook)
    receipt = re.search(r"Receipt (\w{12}),", said)
    assert receipt
    assert f"submission {receipt[1]}." in graded["output"]
    with zipfile.ZipFile(file) as archive:
        assert json.loads(archive.read(plan.notebook))["nbformat_minor"] == 0  # the page's form


def lost(graded: dict[str, Any]) -> set[str]:
    """The parts in which points are missing."""
    tests = graded["tests"]
    return {test["number"].split(".")[0] for test in tests if test.get("score", 0) < test.get("max_score", 0)}


def trained_parts(notebook: Any) -> set[str]:
    """The parts that ask for a trained model: a QUICK run need not reach their thresholds."""
    parts = [part for question in notebook.metadata["pskit"]["questions"] for part in question["parts"]]
    return {part["part"] for part in parts if part["kind"] == "artifact"}
