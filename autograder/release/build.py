"""A set's release in memory: every file by its name, or a refusal. Nothing is written here."""

import nbformat
from nbformat import NotebookNode

from autograder.course import Course, ProblemSet
from autograder.release.clear import clear
from autograder.release.figures import FOLDER, read_figures
from autograder.release.leak import refuse_leaks
from autograder.release.readme import readme
from autograder.release.reference import reference_notebook
from autograder.release.secrets import collect_secrets
from autograder.source import SourceSet, read_set


def build_release(course: Course, plan: ProblemSet) -> dict[str, bytes]:
    """The release of a set as it stands in `solutions/`: file name in the set's folder to bytes. Raises Refusal."""
    return release_files(course, read_set(course, plan))


def release_files(course: Course, source: SourceSet) -> dict[str, bytes]:
    """The release of these sources: notebook, README and figures, checked for leaks. Raises Refusal."""
    notebook = clear(reference_notebook(course, source), source)
    nbformat.validate(notebook)
    files = {
        source.plan.notebook: _json(notebook),
        "README.md": readme(course, source).encode(),
    }
    files |= {f"{FOLDER}/{name}": data for name, data in read_figures(source).items()}
    refuse_leaks(collect_secrets(course.root, [source]), files)
    return files


def _json(notebook: NotebookNode) -> bytes:
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return f"{text.rstrip()}\n".encode()
