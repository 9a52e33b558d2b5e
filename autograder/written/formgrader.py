"""Written answers as submissions of an nbgrader course, for its formgrader: Markdown cells only, so nothing runs."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import nbformat

from autograder.course import Refusal
from autograder.written.answers import Answer
from pskit.notebook import RawCell

TAG = re.compile(r"<(?=[A-Za-z/!?])")
SCRIPT = re.compile(r"(javascript|vbscript|data):", re.IGNORECASE)


def submitted_notebook(release: Path, answers: Sequence[Answer]) -> nbformat.NotebookNode:
    """The release of the course folder with these answers in its written cells and without its code cells."""
    notebook: nbformat.NotebookNode = nbformat.read(release, as_version=4)  # type: ignore[no-untyped-call]
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    by_part = {answer.part.part: answer for answer in answers}
    for cell in notebook.cells:
        ours = cell.metadata.get("pskit", {})
        answer = by_part.get(ours.get("part", ""))
        if ours.get("role") == "written" and answer is not None and cell.metadata.get("nbgrader", {}).get("solution"):
            own = [_with_own_pictures(number, each) for number, each in enumerate(answer.cells)]
            cell.source = "\n\n".join(defused(each.source) for each in own)
            cell.attachments = {name: data for each in own for name, data in each.attachments.items()}
    return notebook


def _with_own_pictures(number: int, cell: RawCell) -> RawCell:
    """The cell as Markdown, its pictures' names apart from those of others: a pasted one is always image.png."""
    source = f"```python\n{cell.source}\n```" if cell.kind == "code" else cell.source
    for name in cell.attachments:
        source = source.replace(f"attachment:{name}", f"attachment:{number}-{name}")
    return replace(
        cell, source=source, attachments={f"{number}-{name}": data for name, data in cell.attachments.items()}
    )


def defused(markdown: str) -> str:
    """The same Markdown with a space in every HTML tag and script address: formgrader would run them."""
    return SCRIPT.sub(r"\1 :", TAG.sub("< ", markdown))


def course_release(course: Path, name: str) -> Path:
    """The course folder's release of a set; Refusal where it is not made yet."""
    release = course / "release" / name / f"{name}.ipynb"
    if not release.is_file():
        raise Refusal(
            f"written: {release} does not exist. Make the course with `python -m autograder export nbgrader {course} "
            f"{name} --written`, then run `nbgrader generate_assignment {name}` in {course}."
        )
    return release
