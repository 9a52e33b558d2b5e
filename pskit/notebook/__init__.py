"""Released and submitted notebooks, read leniently and within bounds; nothing of them is executed here."""

from pskit.notebook.artifacts import artifact_problems
from pskit.notebook.cells import Cell, Submission, Unreadable
from pskit.notebook.released import BadRelease, Part, Question, Release, read_release
from pskit.notebook.submitted import read_submission

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
