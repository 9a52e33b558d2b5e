"""The reference notebooks for measurements: their definitions as one namespace, their solved papers."""

import tempfile
from pathlib import Path
from types import SimpleNamespace

import torch

from autograder.course import load_course
from autograder.source import page, read_set
from autograder.source.cells import read_cells
from autograder.verify.papers import Desk


def definitions(name: str, *questions: str) -> SimpleNamespace:
    """What the intro and these questions of a set define: given code and answers. No experiment is run.

    A name that is set on the result later is the notebook's own, as if a cell had defined it.
    """
    course = load_course()
    folder = course.root / "solutions" / course.problem_set(name).name
    book = SimpleNamespace(__name__="notebook")
    for question in ("intro", *questions):
        for cell in read_cells(page(folder, question), question):
            if cell.type == "code" and cell.role in ("given", "answer") and cell.id != "setup":
                exec(compile(cell.source, question, "exec"), vars(book))  # the course's own sources
    book.here = SimpleNamespace(device=torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    return book


def solved(name: str, folder: Path) -> Path:
    """A folder with the solved notebook of a set and its artifacts, as a student would hand them in."""
    course = load_course()
    plan = course.problem_set(name)
    desk = Path(tempfile.mkdtemp(dir=folder))
    return Desk(desk, course, read_set(course, plan)).reference_paper(plan.questions).folder
