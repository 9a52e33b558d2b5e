"""A course folder for nbgrader: source notebooks with solutions, points and mark schemes.

Points are those of the set, each in one place. A code part with a public check is graded by it; one without, artifacts
(checked or not) and written answers are graded by people in formgrader, where each rubric stands in a locked cell under
its answer. Run cells are run, too: nbgrader executes whole notebooks, in one process with its tests, so what it says
about code is worth less than `grade`. With `written` only the written answers carry points: code is graded by `grade`,
and the gradebook adds the two up.
"""

import re
from copy import deepcopy
from typing import Any

import nbformat

from autograder.course import Course
from autograder.export.checked import last_checks, part, part_points, role, with_verdict
from autograder.release.reference import reference_notebook
from autograder.source import SourceSet

SCHEME = re.compile(r"^### BEGIN MARK SCHEME\n(.*?)^### END MARK SCHEME\n?", re.MULTILINE | re.DOTALL)
SECONDS = 1800  # for one cell: training cells are executed
CONFIG = '''"""Settings of nbgrader for this course. Written by `python -m autograder export nbgrader`."""

c = get_config()  # noqa: F821  # nbgrader defines it
c.CourseDirectory.course_id = {course_id!r}
c.ClearMarkScheme.enforce_metadata = False  # rubrics stand in locked cells under written answers
c.Execute.timeout = {seconds}
'''


def nbgrader_files(course: Course, sources: list[SourceSet], *, written: bool = False) -> dict[str, bytes]:
    """Every file of the course folder by its name in it."""
    course_id = re.sub(r"\W+", "-", f"{course.title} {course.term}").strip("-").lower()
    files = {"nbgrader_config.py": CONFIG.format(course_id=course_id, seconds=SECONDS).encode()}
    for source in sources:
        name = source.plan.short
        files[f"source/{name}/{name}.ipynb"] = source_notebook(course, source, written=written)
    return files


def source_notebook(course: Course, source: SourceSet, *, written: bool = False) -> bytes:
    """The reference notebook in nbgrader's terms."""
    notebook = reference_notebook(course, source)
    code, artifacts = ({}, {}) if written else (part_points(source, "code"), part_points(source, "artifact"))
    checks = last_checks(notebook["cells"])
    notebook["cells"] = [new for cell in notebook["cells"] for new in _cells(cell, code, artifacts, checks)]
    nbformat.validate(notebook)
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return f"{text.rstrip()}\n".encode()


def _cells(cell: Any, code: dict[str, float], artifacts: dict[str, float], checks: dict[str, str]) -> list[Any]:
    """The cell as nbgrader takes it, and what stands under it; points are taken out of `code` and `artifacts`."""
    name, which = part(cell), role(cell)
    if which == "check" and name in code and checks[name] == cell["id"]:
        cell["source"] = with_verdict(cell["source"], name)
        _mark(cell, grade=True, solution=False, points=code.pop(name))
    elif which == "artifact" and name in artifacts:
        return [cell, _task(cell, name, artifacts.pop(name))]
    elif which == "answer" and name in code and name not in checks:
        _mark(cell, grade=True, solution=True, points=code.pop(name))
    elif which == "written":
        return _written(cell)
    return [cell]


def _mark(cell: Any, *, grade: bool, solution: bool, points: float) -> None:
    entry = {"grade": grade, "solution": solution, "locked": not solution, "task": False}
    cell["metadata"]["nbgrader"] = {**entry, "grade_id": cell["id"], "schema_version": 3, "points": points}


def _task(cell: Any, name: str, points: float) -> Any:
    """The artifact's points: the cell that saves it stays as it is, so only a task of its own waits for a person."""
    task = deepcopy(cell)
    task["cell_type"], task["id"] = "markdown", f"{cell['id']}-task"
    for key in ("outputs", "execution_count"):
        task.pop(key, None)
    task["metadata"]["id"] = task["id"]
    entry = {"grade": False, "solution": False, "locked": True, "task": True, "points": points}
    task["metadata"]["nbgrader"] = {**entry, "grade_id": task["id"], "schema_version": 3}
    file = cell["metadata"]["pskit"]["file"]
    task["source"] = f"Part {name}: the course looks at the file `{file}` that the cell above saves."
    return task


def _written(cell: Any) -> list[Any]:
    """The answer, and its rubric in a locked cell, which nbgrader puts back when it grades."""
    found = SCHEME.search(cell["source"])
    cell["source"] = SCHEME.sub("", cell["source"]).strip()
    if not found:
        return [cell]
    scheme = deepcopy(cell)
    scheme["id"] = f"{cell['id']}-scheme"
    scheme["metadata"]["id"] = scheme["id"]
    entry = {"grade": False, "solution": False, "locked": True, "task": False}
    scheme["metadata"]["nbgrader"] = {**entry, "grade_id": scheme["id"], "schema_version": 3}
    scheme["source"] = f"*Mark scheme, for those who grade.*\n\n{found.group().strip()}"
    return [cell, scheme]
