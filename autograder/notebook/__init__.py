"""Released and submitted notebooks, read leniently and within bounds; nothing of them is executed here."""

from autograder.notebook.artifacts import artifact_problems
from autograder.notebook.cells import Cell, Submission, Unreadable
from autograder.notebook.released import BadRelease, Part, Question, Release, read_release
from autograder.notebook.submitted import read_submission

__all__ = [
    "BadRelease",
    "Cell",
    "Part",
    "Question",
    "Release",
    "Submission",
    "Unreadable",
    "artifact_problems",
    "read_release",
    "read_submission",
]
