"""The house's own rules: imports point from secret to public, and versions stand in one place."""

import ast
import re
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Which rooms may know that solutions/ exists.
READS_SOLUTIONS = {"release", "verify", "new", "source", "demo.py"}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def tracked() -> list[Path]:
    """Every Python file of the house."""
    folders = ("pskit", "autograder", "solutions", "benchmarks", "tests")
    return [path for folder in folders for path in modules(folder)]


def test_no_file_is_longer_than_400_lines() -> None:
    long = {str(path.relative_to(ROOT)): n for path in tracked() if (n := path.read_bytes().count(b"\n")) > 400}
    assert not long, "one idea per file; a question's source or variants may be a folder of that name"


def test_no_function_is_longer_than_40_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in tracked()
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 40
    ]
    assert not long


def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes())
    except SyntaxError:  # what a test of damaged files keeps
        return ast.Module([], [])


def test_no_module_needs_itself_through_others() -> None:
    """Imports inside functions count as well: they say what must be understood first."""
    files = modules("pskit") + modules("autograder")
    named = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in files if path.stem != "__init__"}
    needs = {name: sorted(_needed(path) & set(named)) for name, path in named.items()}
    TopologicalSorter(needs).prepare()  # raises CycleError with the circle


def _needed(path: Path) -> set[str]:
    """The modules that a file imports, or imports names from."""
    found = set(imported(path))
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def packages_of(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def test_the_student_package_imports_nothing_of_the_staff() -> None:
    for path in modules("pskit"):
        assert not packages_of(path) & {"autograder", "solutions"}, path


def test_nothing_imports_solutions() -> None:
    for path in modules("autograder") + modules("pskit"):
        assert "solutions" not in packages_of(path), path


def test_only_release_verify_and_new_name_the_solutions_folder() -> None:
    for path in modules("autograder"):
        room = path.relative_to(ROOT / "autograder").parts[0]
        if room not in READS_SOLUTIONS:
            strings = [n.value for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Constant)]
            assert "solutions" not in strings, f"{path} reads solutions/"


@pytest.mark.parametrize("room", ["grading", "worker", "testing", "package"])
def test_nothing_that_grades_imports_what_reads_solutions(room: str) -> None:
    secret = ("autograder.source", "autograder.release", "autograder.verify", "autograder.new")
    for path in modules(f"autograder/{room}"):
        assert not [name for name in imported(path) if name.startswith(secret)], path


def names_in(requirements: str) -> set[str]:
    found = re.findall(r"^([A-Za-z0-9_.-]+)==", requirements, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


def test_every_package_that_is_asked_for_is_locked() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    locked = names_in((ROOT / "requirements.lock").read_text())
    assert {name for names in extras.values() for name in names} <= locked


@pytest.mark.parametrize("file", ["Makefile", "environment.yml", "autograder/package/templates/setup.sh"])
def test_versions_stand_in_the_lock_alone(file: str) -> None:
    text = (ROOT / file).read_text()
    assert "requirements.lock" in text
    assert not re.search(r"[A-Za-z]==\d", text), f"{file} pins a version of its own"
