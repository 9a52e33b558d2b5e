"""The reference notebooks for measurements: their definitions as one namespace, their solved papers."""

import tempfile
from pathlib import Path
from types import SimpleNamespace

import torch

from autograder import source
from autograder.course import load_course
from autograder.source import read_set
from autograder.verify.papers import Desk


def definitions(name: str, *questions: str) -> SimpleNamespace:
    """What the intro and these questions of a set define: given code and answers. No experiment is run.

    A name that is set on the result later is the notebook's own, as if a cell had defined it.
    """
    course = load_course()
    folder = course.root / "solutions" / course.problem_set(name).name
    book = SimpleNamespace()
    vars(book).update(source.definitions(folder, ("intro", *questions)))
    book.here = SimpleNamespace(device=torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    return book


def solved(name: str, folder: Path) -> Path:
    """A folder with the solved notebook of a set and its artifacts, as a student would hand them in."""
    course = load_course()
    plan = course.problem_set(name)
    desk = Path(tempfile.mkdtemp(dir=folder))
    return Desk(desk, course, read_set(course, plan)).reference_paper(plan.questions).folder
