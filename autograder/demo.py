"""`make demo`: the whole path on PS1, from the reference solution to a Gradescope zip, and what each step leaves."""

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from autograder.cli import main as verb
from autograder.course import load_course

QUESTION = "q1_gaussian"
MISTAKE = "divides_by_n_minus_1"


def submissions(folder: Path) -> dict[str, Path]:
    """Three submissions in `folder`: the reference answers, the untouched release, the reference with one mistake."""
    from autograder.source import page, read_set
    from autograder.verify.bank import read_variants
    from autograder.verify.papers import Desk

    course = load_course()
    source = read_set(course, course.problem_set("ps1"))
    names = {question.name: [name for cell in question.cells for name in cell.names] for question in source.questions}
    every = [name for asked in names.values() for name in asked]
    variants = read_variants(page(source.folder / "variants", QUESTION), names[QUESTION], every)
    mistake = next(variant for variant in variants if variant.name == MISTAKE)
    desk = Desk(folder, course, source)
    papers = {
        "good": desk.reference_paper(()),
        "stub": desk.stub_paper(()),
        "wrong": desk.variant_paper(mistake, QUESTION),
    }
    return {name: paper.folder.rename(folder / name) for name, paper in papers.items()}


def main() -> int:
    """Run every step; 0, or the exit code of the first step that failed."""
    build = load_course().root / "build" / "demo"
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir(parents=True)
    made: dict[str, Path] = {}
    started = time.monotonic()

    def hand_in() -> int:
        made.update(submissions(build))
        return 0

    steps: list[tuple[str, Callable[[], int]]] = [
        ("Release: solutions/ to the student notebook", lambda: verb(["release", "ps1"])),
        (
            f"Verify: the graders of {QUESTION} tell right from wrong",
            lambda: verb(["verify", "ps1", "--question", QUESTION, "--html", str(build / "verify.html")]),
        ),
        (f"Three submissions: the reference, the untouched release, one that {MISTAKE}", hand_in),
        ("Grade them", lambda: verb(["grade", "ps1", *map(str, made.values()), "-o", str(build / "graded")])),
        ("Package: the Gradescope zip", lambda: verb(["package", "ps1", "-o", str(build)])),
    ]
    for number, (title, step) in enumerate(steps, 1):
        print(f"\n=== {number}. {title}", flush=True)
        if code := step():
            print(f"Step {number} failed (exit code {code}).", file=sys.stderr)
            return code
    print(f"\nDone in {time.monotonic() - started:.0f} s. Look at:")
    for what, path in places(build).items():
        print(f"  {what:<28}{path.relative_to(build.parents[1])}")
    return 0


def places(build: Path) -> dict[str, Path]:
    """What the demo leaves behind, and where."""
    root = build.parents[1]
    return {
        "the student notebook": root / "ps1_probabilistic" / "ps1.ipynb",
        "its source, per question": root / "solutions" / "ps1_probabilistic",
        "the matrix of verdicts": build / "verify.html",
        "graded submissions": build / "graded",
        "upload this to Gradescope": build / "ps1_gradescope.zip",
    }


if __name__ == "__main__":
    sys.exit(main())
