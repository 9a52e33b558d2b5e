"""The same notebook graded, and the same set released, by this course, by Otter-Grader and by nbgrader, side by side.

    python benchmarks/programs.py [ps1] [--class 8] [--others 2] [--folder DIR]

All three start from the same source: `export otter` and `export nbgrader` write what the other programs need, and the
submission is the reference. One cold start grades one notebook; a batch is the command that grades a folder of them
(Otter's, `otter grade`, wants Docker, so there its batch is one `otter run` after the other). The others start a
kernel for each notebook, so that a batch of theirs may be smaller: the column to compare is that of one submission.
Cold starts are run three times and batches twice, in turn. What they do differs: Otter and nbgrader execute the whole
notebook, training cells in QUICK mode and plots included, and run the public checks. This course executes definitions
only, and runs the hidden tests, the public checks and the artifacts' tests. Memory is that of all processes of a
program together.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from machine import machine, measure
from nbformat.v4 import new_code_cell, new_notebook, new_raw_cell
from reference import solved
from times import TIMES, Times

from autograder.course import load_course
from autograder.export.checked import last_checks, part, role
from autograder.release.reference import reference_notebook
from autograder.source import read_set

PYTHON = [sys.executable, "-W", "ignore", "-m"]
Notebook = Any
MARK = re.compile(r"\s*### (BEGIN|END) SOLUTION")
AT_LEAST = 5.0  # a batch is graded at least so many times as fast
WHAT_DIFFERS = """\
The others execute the whole notebook, its training cells in QUICK mode and its plots included, one after the other, and
run the public checks. This course executes the answers alone, a batch on all cores, and runs the hidden tests, which
judge the trained model as well: hence its further points. Written answers are for people in all three."""


@dataclass(frozen=True)
class Took:
    """What a command took: seconds of wall time and MB, for so many submissions."""

    seconds: float
    megabytes: float
    submissions: int = 1


@dataclass(frozen=True)
class Runs:
    """The same command several times."""

    took: tuple[Took, ...]

    @property
    def each(self) -> Times:
        """Seconds for one submission, in each run."""
        return Times(tuple(run.seconds / run.submissions for run in self.took))


def command(folder: Path, *words: str, submissions: int = 1) -> Took:
    """Run a program in a folder. Raises SystemExit where it fails."""
    seconds, megabytes, code = measure([*PYTHON, *words], folder)
    if code:
        raise SystemExit(f"{' '.join(words)} ended with exit code {code}")
    return Took(seconds, megabytes, submissions)


def quietly(folder: Path, *words: str) -> None:
    """Run a program whose time does not matter."""
    subprocess.run([*PYTHON, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)


class Otter:
    """Otter-Grader on its export."""

    def __init__(self, name: str, folder: Path, paper: Path) -> None:
        quietly(folder, "autograder", "export", "otter", str(folder), name)
        self._folder = folder / name
        shutil.copytree(paper, self._folder, dirs_exist_ok=True)
        (self._folder / "requirements.txt").touch()
        quietly(self._folder, "otter", "generate", "-t", "tests", "-c", "otter_config.json", "-o", "autograder.zip")
        (self._folder / "out").mkdir()
        self._words = ("otter", "run", f"{name}.ipynb", "-a", "autograder.zip", "-o", "out", "--no-logo")

    def one(self) -> Took:
        """Grade the reference."""
        return command(self._folder, *self._words)

    def batch(self, size: int) -> Took:
        """Grade it this often."""
        each = [command(self._folder, *self._words) for _ in range(size)]
        return Took(sum(took.seconds for took in each), max(took.megabytes for took in each), size)

    def points(self) -> float:
        """The points that the last run gave."""
        tests = json.loads((self._folder / "out" / "results.json").read_text(encoding="utf-8"))["tests"]
        return sum(float(test.get("score", 0.0)) for test in tests)


class Nbgrader:
    """nbgrader on its export: a course folder."""

    def __init__(self, name: str, folder: Path, paper: Path) -> None:
        self._name, self._folder = name, folder
        quietly(folder, "autograder", "export", "nbgrader", str(folder), name)
        self.release = command(folder, "nbgrader", "generate_assignment", name, "--create", "--force")
        file = folder / "release" / name / f"{name}.ipynb"
        cells = nbformat.read(paper / f"{name}.ipynb", 4).cells
        answers = {cell["id"]: cell["source"] for cell in cells if role(cell) in ("answer", "written")}
        self._paper = nbformat.read(file, 4)
        for cell in self._paper.cells:
            cell.source = answers.get(cell.metadata.get("id"), cell.source)

    def one(self) -> Took:
        """Grade one student."""
        return self.batch(1)

    def batch(self, size: int) -> Took:
        """Grade this many students by one command."""
        shutil.rmtree(self._folder / "submitted", ignore_errors=True)
        shutil.rmtree(self._folder / "autograded", ignore_errors=True)
        for number in range(size):
            place = self._folder / "submitted" / f"s{number:03}" / self._name
            place.mkdir(parents=True)
            nbformat.write(self._paper, place / f"{self._name}.ipynb")
        return command(self._folder, "nbgrader", "autograde", self._name, "--create", "--force", submissions=size)

    def points(self) -> float:
        """The points that the first student has."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self._folder / 'gradebook.db'}") as book:
            return float(book.find_submission(self._name, "s000").score)


class Course:
    """This course's own grader."""

    def __init__(self, name: str, folder: Path, paper: Path) -> None:
        self._name, self._folder, self._paper = name, folder, paper

    def one(self) -> Took:
        """Grade the reference from a cold start."""
        return self.batch(1)

    def batch(self, size: int) -> Took:
        """Grade copies of the reference by one command, on all cores."""
        papers, out = self._folder / "class", self._folder / "out"
        for place in (papers, out):
            shutil.rmtree(place, ignore_errors=True)
        for number in range(size):
            shutil.copytree(self._paper, papers / f"s{number:03}")
        what = papers if size > 1 else papers / "s000"
        words = ("autograder", "grade", self._name, str(what), "-o", str(out))
        return command(self._folder, *words, *(("--as", "class") if size > 1 else ()), submissions=size)

    def points(self) -> float:
        """The points of the first submission."""
        results = next(self._folder.glob("out/**/results.json"))
        return float(json.loads(results.read_text(encoding="utf-8"))["score"])


def master(notebook: Notebook) -> nbformat.NotebookNode:
    """The reference in Otter's format: a question for each answer cell, tested by its part's last public check."""
    cells = [new_raw_cell("# ASSIGNMENT CONFIG\nrun_tests: false\ngenerate: true\nexport_cell: false\n")]
    wanted = last_checks(notebook["cells"])
    checks = {part(cell): cell["source"] for cell in notebook["cells"] if cell["id"] in wanted.values()}
    for number, cell in enumerate(notebook["cells"]):
        if role(cell) == "answer":
            cells += [new_raw_cell(f"# BEGIN QUESTION\nname: q{number}\n"), new_raw_cell("# BEGIN SOLUTION")]
            answer = "\n".join(line for line in cell["source"].splitlines() if not MARK.match(line))
            cells += [new_code_cell(f"# BEGIN SOLUTION\n{answer}\n# END SOLUTION")]
            cells += [new_raw_cell("# END SOLUTION"), new_raw_cell("# BEGIN TESTS")]
            cells += [new_code_cell(checks.get(part(cell), "assert True")), new_raw_cell("# END TESTS")]
            cells += [new_raw_cell("# END QUESTION")]
        elif role(cell) not in ("written", "check"):
            cells.append(cell)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return new_notebook(cells=cells, metadata=kernel)


def otter_assign(name: str, folder: Path) -> Took:
    """Otter's release of the same set."""
    course = load_course()
    nbformat.write(
        master(reference_notebook(course, read_set(course, course.problem_set(name)))), folder / f"{name}.ipynb"
    )
    return command(folder, "otter", "assign", f"{name}.ipynb", "dist", "--no-run-tests")


def row(name: str, runs: Runs, ours: Runs, said: str) -> str:
    """A line of a table."""
    ratio, memory = f"{runs.each.median / ours.each.median:.1f}", max(run.megabytes for run in runs.took)
    cells = (name, len(runs.took), runs.took[0].submissions, runs.each, ratio, f"{memory:.0f}", said)
    return f"| {' | '.join(map(str, cells))} |"


def table(title: str, rows: list[str]) -> None:
    """Print it."""
    head = f"| {title} | runs | of | for one: median (range) | times ours | MB | points |"
    print(f"\n{head}\n|---|---:|---:|---:|---:|---:|---:|")
    print("\n".join(rows), flush=True)


def graded(title: str, programs: dict[str, Any], how: Callable[[str, Any], Took], times: int) -> float:
    """Grade by each program in turn, ours first, so often, and print the table; how many times as long others take."""
    took: dict[str, list[Took]] = {name: [] for name in programs}
    for _ in range(times):
        for name, program in programs.items():
            took[name].append(how(name, program))
    runs = {name: Runs(tuple(each)) for name, each in took.items()}
    ours, *theirs = runs.values()
    table(title, [row(name, each, ours, f"{programs[name].points():g}") for name, each in runs.items()])
    return min(each.each.median for each in theirs) / ours.each.median


def main() -> int:
    """Print the tables; 1 where a batch is not graded five times as fast as by the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", nargs="?", default="ps1")
    parser.add_argument("--class", dest="size", type=int, default=8, metavar="N", help="submissions of a batch")
    parser.add_argument("--others", type=int, default=2, metavar="N", help="submissions of the other programs' batches")
    parser.add_argument("--folder", type=Path, help="keep what is written here")
    asked = parser.parse_args()
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    print(machine("torch", "otter-grader", "nbgrader"))
    with tempfile.TemporaryDirectory() as name:
        base = asked.folder or Path(name)
        places = {kind: base / kind for kind in ("paper", "ours", "otter", "nbgrader", "assign")}
        for place in places.values():
            place.mkdir(parents=True)
        paper = solved(asked.set, places["paper"])
        programs = {
            "this course": Course(asked.set, places["ours"], paper),
            "otter run": Otter(asked.set, places["otter"], paper),
            "nbgrader autograde": Nbgrader(asked.set, places["nbgrader"], paper),
        }
        sizes = dict.fromkeys(programs, asked.others) | {"this course": asked.size}
        graded(f"{asked.set}: one submission, cold", programs, lambda _, program: program.one(), TIMES)
        times = graded(f"{asked.set}: a batch", programs, lambda name, program: program.batch(sizes[name]), 2)
        ours = command(load_course().root, "autograder", "release", asked.set, "--check")
        theirs = {"otter assign": otter_assign(asked.set, places["assign"])}
        theirs["nbgrader generate_assignment"] = programs["nbgrader autograde"].release
        took = {"release --check": ours, **theirs}
        rows = [row(name, Runs((each,)), Runs((ours,)), "") for name, each in took.items()]
        table(f"{asked.set}: a release", rows)
        print(f"\n{WHAT_DIFFERS}")
    return int(times < AT_LEAST)


if __name__ == "__main__":
    sys.exit(main())
