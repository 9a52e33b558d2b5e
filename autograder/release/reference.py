"""Sources into a notebook with its solutions inside: what is cleared for students, and what verify grades."""

from collections.abc import Mapping
from typing import Any, cast

import nbformat
from nbformat import NotebookNode

from autograder.course import Course
from autograder.release.figures import embed, read_figures
from autograder.release.placeholders import fill, values
from autograder.source import Cell, Question, SourceSet

# nbgrader's (grade, solution, locked). Cells to run and to save weights are the students' to change: no entry.
NBGRADER = {
    "text": (False, False, True),
    "given": (False, False, True),
    "check": (False, False, True),
    "answer": (False, True, False),
    "written": (True, True, False),
}


def reference_notebook(course: Course, source: SourceSet) -> NotebookNode:
    """The notebook of a set with its solutions and mark schemes inside; SourceError for a bad placeholder or figure."""
    known, figures = values(course, source.plan), read_figures(source)
    cells = [
        _cell(cell, question, fill(file, cell, known), figures)
        for (file, cell), (question, _) in zip(source.files_and_cells(), source.cells(), strict=True)
    ]
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": _notebook_metadata(source), "cells": cells}
    return cast(NotebookNode, nbformat.from_dict(content))  # type: ignore[no-untyped-call]


def _cell(cell: Cell, question: Question | None, text: str, figures: Mapping[str, bytes]) -> dict[str, Any]:
    metadata = {"id": cell.id, "pskit": _pskit(cell, question), **_nbgrader(cell, question)}
    common = {"cell_type": cell.type, "id": cell.id, "metadata": metadata}
    if cell.type == "code":
        return {**common, "source": text, "execution_count": None, "outputs": []}
    return {**common, "source": embed(text, figures)}


def _pskit(cell: Cell, question: Question | None) -> dict[str, Any]:
    keys: dict[str, Any] = {"role": cell.role}
    if question:
        keys["question"] = question.name
    keys |= {key: value for key, value in (("part", cell.part), ("file", cell.file)) if value}
    if cell.role == "answer":
        keys["names"] = list(cell.names)
    return keys


def _nbgrader(cell: Cell, question: Question | None) -> dict[str, Any]:
    if cell.role not in NBGRADER:
        return {}
    grade, solution, locked = NBGRADER[cell.role]
    entry = {
        "grade": grade,
        "solution": solution,
        "locked": locked,
        "task": False,
        "grade_id": cell.id,
        "schema_version": 3,
    }
    if grade and question:
        entry["points"] = next(part.points for part in question.parts if part.part == cell.part)
    return {"nbgrader": entry}


def _notebook_metadata(source: SourceSet) -> dict[str, Any]:
    return {
        "accelerator": "GPU",
        "colab": {"gpuType": "T4", "provenance": [], "toc_visible": True},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "pskit": {"set": source.plan.name, "questions": [_question(question) for question in source.questions]},
    }


def _question(question: Question) -> dict[str, Any]:
    parts = [{"part": p.part, "kind": p.kind, "points": p.points, "title": p.title} for p in question.parts]
    return {
        "name": question.name,
        "number": question.number,
        "title": question.title,
        "points": question.points,
        "parts": parts,
    }
