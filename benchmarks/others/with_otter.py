"""The target in Otter's format: `otter assign` once, then `otter run` of one notebook at a time."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook, new_raw_cell

from others.assignment import GIVEN, TESTS, Test, answers, handed_in
from others.sandbox import run
from others.verdict import Verdict, verdict

NAME = "Otter-Grader"
SECONDS = 120.0  # `otter run` has no limit of its own
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


class Otter:
    """The assignment, assigned in `folder`; `grade` runs one attack there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        nbformat.write(_source(), folder / "target.ipynb")
        ran = run(folder, 300, sys.executable, "-m", "otter", "assign", "target.ipynb", "dist", "--no-run-tests")
        self._zip = next(iter((folder / "dist" / "autograder").glob("*.zip")), None)
        if self._zip is None:
            raise RuntimeError(f"otter assign: {ran}: {(folder / 'said').read_text(errors='replace')[-2000:]}")

    def grade(self, name: str, source: str) -> Verdict:
        """Grade a notebook whose first answer is this code."""
        place = self._folder / "runs" / name
        (place / "out").mkdir(parents=True)
        cells = [new_code_cell(text) for text in (GIVEN, *handed_in(source).values())]
        nbformat.write(new_notebook(cells=cells, metadata=KERNEL), place / "target.ipynb")
        shutil.copy(str(self._zip), place / "autograder.zip")
        words = ["-m", "otter", "run", "target.ipynb", "-a", "autograder.zip", "-o", "out", "--no-logo"]
        ran = run(place, SECONDS, sys.executable, *words)
        return verdict(ran, _points(place / "out" / "results.json"), reached=(place / "mark").exists())


def _points(results: Path) -> float | None:
    try:
        tests: list[dict[str, Any]] = json.loads(results.read_text(encoding="utf-8"))["tests"]
    except (OSError, ValueError, KeyError):
        return None
    return sum(float(test.get("score", 0.0)) for test in tests)


def _source() -> nbformat.NotebookNode:
    """The master notebook, with solutions and hidden tests."""
    config = "# ASSIGNMENT CONFIG\nrun_tests: false\ngenerate: true\nexport_cell: false\ninit_cell: false\n"
    cells = [new_raw_cell(config), new_code_cell(GIVEN)]
    for question, answer in answers().items():
        cells += [new_raw_cell(f"# BEGIN QUESTION\nname: {question}\n"), new_raw_cell("# BEGIN SOLUTION")]
        cells += [new_code_cell(_solution(answer)), new_raw_cell("# END SOLUTION"), new_raw_cell("# BEGIN TESTS")]
        cells += [new_code_cell(_test(test)) for test in TESTS[question]]
        cells += [new_raw_cell("# END TESTS"), new_raw_cell("# END QUESTION")]
    return new_notebook(cells=cells, metadata=KERNEL)


def _solution(answer: str) -> str:
    return f"# BEGIN SOLUTION\n{answer.rstrip()}\n# END SOLUTION"


def _test(test: Test) -> str:
    config = f'""" # BEGIN TEST CONFIG\npoints: {test.points}\nhidden: true\n""" # END TEST CONFIG'
    return "\n".join([config, *test.lines])
