"""What a question's parts are worth by their graders: `@points` of the hidden tests, bullets of the mark scheme.

Hidden tests are parsed and never executed, so a release needs neither torch nor time.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.source.errors import SourceError
from autograder.source.headings import plain_number
from autograder.source.model import Cell, Part, Question

BULLET = re.compile(r"[-*] (\d+(?:\.\d+)?) points?: \S")


@dataclass(frozen=True)
class HiddenTest:
    """One hidden test by its decorator, without running it."""

    name: str
    points: float
    part: str
    line: int


def hidden_test_file(root: Path, set_name: str, question: str) -> Path:
    """Where the hidden tests of a question stand."""
    return root / "autograder" / "hidden" / set_name / f"test_{question}.py"


def read_hidden_tests(file: Path) -> tuple[HiddenTest, ...]:
    """The tests of a hidden test file with their points; SourceError where a test has none or they are not literal."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise SourceError(file, error.lineno or 0, f"is not valid Python: {error.msg}.") from None
    return tuple(_hidden_test(file, node) for node in _tests(tree))


def _tests(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


def _hidden_test(file: Path, node: ast.FunctionDef) -> HiddenTest:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).split(".")[-1] == "points":
            arguments = dict(zip(("points", "part"), decorator.args, strict=False))
            arguments |= {keyword.arg: keyword.value for keyword in decorator.keywords if keyword.arg}
            return HiddenTest(node.name, *_literals(file, decorator, arguments), node.lineno)
    raise SourceError(file, node.lineno, f'{node.name} has no @points(..., part="..."), so nobody would count it.')


def _literals(file: Path, decorator: ast.Call, arguments: dict[str, ast.expr]) -> tuple[float, str]:
    points, part = (getattr(arguments.get(key), "value", None) for key in ("points", "part"))
    if not isinstance(points, int | float) or isinstance(points, bool) or not isinstance(part, str):
        raise SourceError(
            file, decorator.lineno, 'write @points with plain values, such as @points(2, part="1b", hint="...")'
        )
    return points, part


def check_worth(question: Question, hidden: Path) -> None:
    """Each part's heading points equal what its hidden tests or its mark scheme sum to; SourceError where not."""
    tests = _tests_by_part(question, hidden)
    for part in question.parts:
        if part.kind == "written":
            _compare(question, part, _mark_scheme_points(question, part), "its mark scheme sums")
        else:
            _compare(question, part, sum(test.points for test in tests[part.part]), f"its tests in {hidden.name} sum")


def _tests_by_part(question: Question, hidden: Path) -> defaultdict[str, list[HiddenTest]]:
    """The hidden tests under their part; each must belong to a part that is graded by tests."""
    tested = {part.part for part in question.parts if part.kind != "written"}
    by_part: defaultdict[str, list[HiddenTest]] = defaultdict(list)
    if not hidden.is_file():
        if tested:
            raise SourceError(question.file, 0, f"has no hidden tests; {hidden.name} is missing in {hidden.parent}.")
        return by_part
    for test in read_hidden_tests(hidden):
        if test.part not in tested:
            names = ", ".join(sorted(tested)) or "none"
            raise SourceError(
                hidden, test.line, f"{test.name} gives points to part {test.part!r}; parts with tests: {names}."
            )
        by_part[test.part].append(test)
    return by_part


def _compare(question: Question, part: Part, total: float, source: str) -> None:
    if total != part.points:
        message = f"the heading of {part.part} says {part.points:g} points, but {source} to {total:g}."
        raise SourceError(question.file, part.line, message)


def _mark_scheme_points(question: Question, part: Part) -> float:
    cell = next(cell for cell in question.cells if cell.role == "written" and cell.part == part.part)
    return sum(_bullet(question.file, number, line) for number, line in mark_scheme_bullets(cell))


def mark_scheme_bullets(cell: Cell) -> tuple[tuple[int, str], ...]:
    """The top-level bullets (line, text) of a written cell's mark scheme."""
    return tuple((number, line) for number, line in cell.region_lines("mark scheme") if re.match(r"[-*+\d]", line))


def _bullet(file: Path, number: int, line: str) -> float:
    if not BULLET.match(line):
        raise SourceError(
            file, number, f"{line!r} gives no points; a line of a mark scheme reads '- 2 points: what earns them'."
        )
    return plain_number(line.split()[1])
