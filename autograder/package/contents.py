"""What goes into a set's Gradescope zip: an allow-list, so that a new folder is left out until it is added here."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

from autograder.course import ProblemSet, Refusal

TEMPLATES = Path(__file__).parent / "templates"
# The rooms that grading needs. Release, source, verify and new read solutions and stay at home.
ROOMS = ("course", "worker", "testing", "grading", "package")
SHARED = ("digits",)  # folders of autograder/hidden that belong to no set
LOOSE = (
    "autograder/__init__.py",
    "autograder/__main__.py",
    "autograder/cli.py",
    "autograder/hidden/__init__.py",
    "course.toml",
)


class PackageError(Refusal):
    """A zip cannot be built; the text says why, for people."""


def package_files(root: Path, problem_set: ProblemSet) -> dict[str, bytes]:
    """Every file of the set's zip, by its name in the zip. Raises PackageError where the release is missing."""
    release = root / problem_set.name / f"{problem_set.short}.ipynb"
    if not release.is_file():
        raise PackageError(
            f"{release.relative_to(root)} does not exist. Run `python -m autograder release {problem_set.short}` first."
        )
    files = {path.name: path.read_bytes() for path in TEMPLATES.iterdir() if path.is_file()}
    files["requirements.lock"] = (root / "requirements.lock").read_bytes()
    files["grading.txt"] = _grading_names(root).encode()
    files["package.json"] = _manifest(problem_set).encode()
    for path in _app_files(root, problem_set, release):
        files[f"app/{path.relative_to(root).as_posix()}"] = path.read_bytes()
    return files


def _app_files(root: Path, problem_set: ProblemSet, release: Path) -> Iterator[Path]:
    yield release
    yield from (root / name for name in LOOSE)
    for folder in _folders(root, problem_set.name):
        yield from _sources(folder)


def _folders(root: Path, set_name: str) -> Iterator[Path]:
    yield root / "pskit"
    yield from _hidden(root / "autograder" / "hidden", set_name)
    for room in ROOMS:
        yield root / "autograder" / room


def _hidden(hidden: Path, set_name: str) -> Iterator[Path]:
    """A set's hidden tests, and the shared folders that one of them imports from."""
    yield hidden / set_name
    texts = [file.read_text(encoding="utf-8") for file in (hidden / set_name).glob("*.py")]
    yield from (hidden / name for name in SHARED if any(f"autograder.hidden.{name}." in text for text in texts))


def _sources(folder: Path) -> Iterator[Path]:
    """The files of a folder, without what Python and editors leave there."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).parts
        if path.is_file() and not any(part == "__pycache__" or part.startswith(".") for part in relative):
            yield path


def _grading_names(root: Path) -> str:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return "\n".join(project["optional-dependencies"]["grading"]) + "\n"


def _manifest(problem_set: ProblemSet) -> str:
    release = f"{problem_set.name}/{problem_set.short}.ipynb"
    return json.dumps({"set": problem_set.name, "release": release}, indent=1) + "\n"
