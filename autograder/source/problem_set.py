"""A whole set from `solutions/`: intro, questions in the term's order, outro, and the checks across them."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from autograder.course import Course, ProblemSet
from autograder.source.cells import read_cells
from autograder.source.errors import SourceError
from autograder.source.model import Cell, Question, SourceSet
from autograder.source.pages import files_of, located, page
from autograder.source.question import read_question
from autograder.source.worth import check_worth, hidden_test_file

INTRO, OUTRO = "intro", "outro"


def read_set(course: Course, plan: ProblemSet) -> SourceSet:
    """The set's sources, checked: files, ids, points by tests and mark schemes, the core's sum. SourceError if not."""
    folder = course.root / "solutions" / plan.name
    for name in (INTRO, *plan.questions, OUTRO):
        if not files_of(page(folder, name)):
            why = "every set has one" if name in (INTRO, OUTRO) else f"course.toml lists {name} in {plan.name}"
            raise SourceError(folder / f"{name}.py", 0, f"does not exist, but {why}.")
    source = replace(read_draft(course, plan), draft=False)
    for question in source.questions:
        check_worth(question, hidden_test_file(course.root, plan.name, question.name))
    _core_sums_to(course, plan, source.questions)
    return source


def read_draft(course: Course, plan: ProblemSet) -> SourceSet:
    """Those sources of a set that exist, without the checks that need all of them or the hidden tests."""
    folder = course.root / "solutions" / plan.name
    places = [page(folder, name) for name in plan.questions]
    questions = tuple(read_question(place) for place in places if files_of(place))
    source = SourceSet(
        plan, folder, _page(folder / f"{INTRO}.py"), questions, _page(folder / f"{OUTRO}.py"), draft=True
    )
    _ids_are_unique(source)
    _names_are_unique(questions)
    return source


def _page(file: Path) -> tuple[Cell, ...]:
    cells = read_cells(file, file.stem) if file.is_file() else ()
    for cell in cells:
        if cell.part:
            raise SourceError(
                file, cell.line, f"part {cell.part!r}: the {file.stem} has no parts; it belongs to a question."
            )
    return cells


def _ids_are_unique(source: SourceSet) -> None:
    seen: dict[str, str] = {}
    for file, cell in source.files_and_cells():
        where, line = located(file, cell.line)
        place = f"{where.name}:{line}"
        if cell.id in seen:
            raise SourceError(file, cell.line, f"the id {cell.id!r} is taken by the cell at {seen[cell.id]}.")
        seen[cell.id] = place


def _names_are_unique(questions: Iterable[Question]) -> None:
    """The notebook is one namespace: two questions that ask for the same name would grade the same code."""
    seen: dict[str, tuple[Path, str]] = {}
    for question in questions:
        for cell in question.cells:
            for name in cell.names:
                if name in seen and seen[name] != (question.file, cell.part):
                    where = f"{seen[name][0].name}, part {seen[name][1]}"
                    raise SourceError(question.file, cell.line, f"{name} is already asked for in {where}.")
                seen[name] = (question.file, cell.part)


def _core_sums_to(course: Course, plan: ProblemSet, questions: Iterable[Question]) -> None:
    core = [question for question in questions if question.name in plan.core]
    total = sum(question.points for question in core)
    if total != course.core_points:
        sums = ", ".join(f"{question.name} {question.points:g}" for question in core)
        message = f"the core questions sum to {total:g} points, not points.core = {course.core_points} ({sums})."
        raise SourceError(course.root / "course.toml", 0, f"[sets.{plan.name}]: {message}")
