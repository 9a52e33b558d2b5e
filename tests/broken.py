"""What a grader says of a solved notebook with one more cell; shared by the tests of broken networks."""

import json
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.grading import Grader
from autograder.grading.results import output_of
from pskit.notebook import read_submission


def feedback(grader: Grader, solved: NotebookNode, folder: Path, cell: str, question: str) -> dict[str, str]:
    """What the failed tests of a solved notebook say once this cell stands at its end, by their numbers."""
    last: dict[str, Any] = {"cell_type": "code", "id": "broken", "metadata": {}, "execution_count": None}
    notebook = {**solved, "cells": [*solved["cells"], {**last, "outputs": [], "source": cell.strip()}]}
    (folder / "solved.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    report = grader.grade(read_submission(folder / "solved.ipynb", grader.names), [question])
    return {test.number: output_of(test) for test in report.tests if test.score < test.points}
