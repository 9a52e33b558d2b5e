"""Released and submitted notebooks, read leniently and within bounds; nothing of them is executed here."""

from pskit.notebook.artifacts import artifact_problems
from pskit.notebook.cells import Cell, Submission, Unreadable, receipt_of
from pskit.notebook.notebook_file import RawCell
from pskit.notebook.released import BadRelease, Part, Question, Release, read_release, release_of
from pskit.notebook.submitted import read_as_saved, read_submission

__all__ = [
    "BadRelease",
    "Cell",
    "Part",
    "Question",
    "RawCell",
    "Release",
    "Submission",
    "Unreadable",
    "artifact_problems",
    "read_as_saved",
    "read_release",
    "read_submission",
    "receipt_of",
    "release_of",
]
