"""The target in nbgrader's format: `generate_assignment` once, then `autograde` of one student at a time."""

import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from others.assignment import GIVEN, TESTS, Test, answers, handed_in
from others.sandbox import run
from others.verdict import Verdict, verdict

NAME = "nbgrader"
CELL_SECONDS, SECONDS = 30, 180.0  # nbgrader's own limit of a cell, its default; ours for the whole run
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
CONFIG = f"""c = get_config()
c.CourseDirectory.course_id = "course"
c.Execute.timeout = {CELL_SECONDS}
c.ExecutePreprocessor.timeout = {CELL_SECONDS}
c.ClearSolutions.code_stub = {{"python": "raise NotImplementedError()"}}
"""


class Nbgrader:
    """A course of one assignment in `folder`; `grade` autogrades one attack in a copy of it."""

    def __init__(self, folder: Path) -> None:
        self._course = folder / "course"
        (self._course / "source" / "target").mkdir(parents=True)
        (self._course / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
        nbformat.write(_source(), self._course / "source" / "target" / "target.ipynb")
        ran = run(self._course, 300, sys.executable, "-m", "nbgrader", "generate_assignment", "target")
        if not (self._course / "release" / "target" / "target.ipynb").is_file():
            said = (self._course / "said").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"nbgrader generate_assignment: {ran}: {said}")

    def grade(self, name: str, source: str) -> Verdict:
        """Autograde a notebook whose first answer is this code."""
        place = self._course.parent / "runs" / name
        shutil.copytree(self._course, place)
        notebook = nbformat.read(place / "release" / "target" / "target.ipynb", as_version=4)
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            cell.source = handed_in(source).get(grade_id, cell.source)
        handed = place / "submitted" / "student" / "target"
        handed.mkdir(parents=True)
        nbformat.write(notebook, handed / "target.ipynb")
        words = ["-m", "nbgrader", "autograde", "target", "--student", "student"]
        ran = run(place, SECONDS, sys.executable, *words)
        done = (place / "autograded" / "student" / "target" / "target.ipynb").is_file()
        points = _points(place / "gradebook.db") if done else None
        return verdict(ran, points, reached=(place / "mark").exists())


def _points(database: Path) -> float | None:
    from nbgrader.api import Gradebook, MissingEntry

    try:
        with Gradebook(f"sqlite:///{database}") as book:
            return float(book.find_submission("target", "student").score)
    except (MissingEntry, OSError):
        return None


def _source() -> nbformat.NotebookNode:
    """The instructor's notebook."""
    cells = [_cell("given", GIVEN, locked=True)]
    for question, answer in answers().items():
        cells.append(_cell(question, f"### BEGIN SOLUTION\n{answer.rstrip()}\n### END SOLUTION", solution=True))
        for number, test in enumerate(TESTS[question], 1):
            cells.append(_cell(f"{question}-{number}", _test(test), grade=True, locked=True, points=test.points))
    return new_notebook(cells=cells, metadata=KERNEL)


def _test(test: Test) -> str:
    return "\n".join(["### BEGIN HIDDEN TESTS", *test.lines, "### END HIDDEN TESTS"])


def _cell(grade_id: str, source: str, **fields: Any) -> nbformat.NotebookNode:
    marks = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3, **fields}
    return new_code_cell(source, metadata={"nbgrader": {"grade_id": grade_id, **marks}})
