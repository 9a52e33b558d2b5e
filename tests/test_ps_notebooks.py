"""The releases in a real kernel, from top to bottom: untouched they never stop, solved they pass every public check.

QUICK mode takes up to five minutes for a set, so the slow tests run it whole, and here no training is longer than a few
steps: every cell runs, every picture is drawn. PS1, which is the shortest, runs whole here as well.
"""

import json
import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from autograder.course import load_course
from autograder.release.reference import reference_notebook
from autograder.source import read_set
from tests.few_steps import cut_short, excused
from tests.machines import errors

pytestmark = pytest.mark.long
COURSE = load_course()
SETS = list(COURSE.sets.values())
SHORTEST = "ps1"
RESULTS = "import json; print(json.dumps({part: each['state'] for part, each in check.results.items()}))"


def executed(notebook: Any, folder: Path) -> Any:
    """The notebook after a run from top to bottom without network data; a cell that raises is kept as it is."""
    notebook.cells.append(nbformat.v4.new_code_cell(RESULTS))
    data = folder / "data"
    data.mkdir()
    environment = os.environ | {"PSKIT_DATA": str(data)}
    client = NotebookClient(notebook, timeout=600, allow_errors=True, resources={"metadata": {"path": str(folder)}})
    client.execute(env=environment)
    if keep := os.environ.get("KEEP_NOTEBOOKS"):  # to look at the pictures
        nbformat.write(notebook, Path(keep) / f"{folder.name}.ipynb")
    return notebook


def states(notebook: Any) -> dict[str, str]:
    """What became of the public checks of each part."""
    found: dict[str, str] = json.loads(notebook.cells[-1].outputs[0].text)
    return found


@pytest.mark.parametrize("plan", SETS, ids=lambda plan: plan.short)
def test_an_untouched_release_runs_to_its_end_and_every_check_waits(plan: Any, tmp_path: Path) -> None:
    release = nbformat.read(COURSE.root / plan.name / plan.notebook, as_version=4)
    ran = executed(release, tmp_path)
    assert errors(ran) == []
    found = states(ran)
    assert found
    assert set(found.values()) == {"not implemented"}


def whole(plan: Any) -> Any:
    """A set whose trainings are not cut short: a slow test, except for the shortest."""
    return pytest.param(plan, id=plan.short, marks=() if plan.short == SHORTEST else pytest.mark.slow)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("plan", [whole(plan) for plan in SETS])
def test_the_solved_notebook_runs_in_quick_mode_and_every_check_passes(plan: Any, tmp_path: Path) -> None:
    solved_runs(reference_notebook(COURSE, read_set(COURSE, plan)), tmp_path)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("plan", SETS, ids=lambda plan: plan.short)
def test_every_cell_of_the_solved_notebook_runs_after_a_few_steps_of_training(plan: Any, tmp_path: Path) -> None:
    notebook = reference_notebook(COURSE, read_set(COURSE, replace(plan, extensions=plan.available)))
    cut_short(notebook, plan.short)
    solved_runs(notebook, tmp_path, excused(plan.short))


def solved_runs(notebook: Any, folder: Path, without: Collection[str] = ()) -> None:
    """No cell raises, and every public check passes, but for those that are left out."""
    ran = executed(notebook, folder)
    assert errors(ran) == []
    found = states(ran)
    assert found
    assert {state for part, state in found.items() if part not in without} == {"passed"}
