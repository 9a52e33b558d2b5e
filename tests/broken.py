"""A grader of a whole set, its solved notebook, and what the grader says once one more cell stands at its end.

Shared by the tests of broken networks.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.course import ProblemSet, load_course
from autograder.grading import Grader
from autograder.grading.results import output_of
from autograder.release.build import release_files
from autograder.release.reference import reference_notebook
from autograder.source import read_set
from pskit.notebook import read_submission

COURSE = load_course()


def whole(name: str) -> ProblemSet:
    """The set with all of its extensions switched on."""
    plan = COURSE.problem_set(name)
    return replace(plan, extensions=plan.available)


@contextmanager
def grader_of(plan: ProblemSet, folder: Path) -> Iterator[Grader]:
    """A grader of the set's release, which is written into the folder."""
    release = folder / plan.notebook
    release.write_bytes(release_files(COURSE, read_set(COURSE, plan))[plan.notebook])
    with Grader(plan.name, release, COURSE.root / "autograder" / "hidden" / plan.name, COURSE.hidden_seed) as grader:
        yield grader


def solved_notebook(plan: ProblemSet) -> NotebookNode:
    """The set's notebook with the reference answers."""
    return reference_notebook(COURSE, read_set(COURSE, plan))


def feedback(grader: Grader, solved: NotebookNode, folder: Path, cell: str, question: str) -> dict[str, str]:
    """What the failed tests of a solved notebook say once this cell stands at its end, by their numbers."""
    last: dict[str, Any] = {"cell_type": "code", "id": "broken", "metadata": {}, "execution_count": None}
    notebook = {**solved, "cells": [*solved["cells"], {**last, "outputs": [], "source": cell.strip()}]}
    (folder / "solved.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    report = grader.grade(read_submission(folder / "solved.ipynb", grader.names), [question])
    return {test.number: output_of(test) for test in report.tests if test.score < test.points}
