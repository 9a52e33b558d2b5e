"""A class of generated PS1 submissions, graded as staff grade one: wall time, processor time, memory, interruptions.

    python benchmarks/grade_class.py [--size 300] [--jobs 2] [--interrupt 10]

Submissions are drawn with a fixed seed: the reference with some of its answers replaced by wrong or right variants or
by mutants of themselves, untouched releases, damaged files. With --interrupt N the run is killed (SIGKILL) N times at
random moments and started again; its grades.csv must equal that of a run which nobody disturbed.
"""

import argparse
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from machine import machine, memory

from autograder.course import load_course
from autograder.source import SourceSet, page
from autograder.verify.bank import Variant, read_variants
from autograder.verify.mutation.mutants import mutants_of
from autograder.verify.papers import Desk
from autograder.verify.proof import read_whole

LOOK = 0.5
EACH = 2.0  # seconds: 300 submissions in ten minutes
GROWS = 1.1  # at most so much more memory in the second half than in the first
DAMAGED = ("", "no json", '{"cells": [', "<!doctype html><title>Sign in</title>")


def variants(source: SourceSet) -> list[tuple[str, Variant]]:
    """Every code variant of the set with its question."""
    taken = {name for question in source.questions for cell in question.cells for name in cell.names}
    found = []
    for question in source.questions:
        names = [name for cell in question.cells for name in cell.names]
        file = page(source.folder / "variants", question.name)
        found += [(question.name, each) for each in read_variants(file, names, taken) if each.mark.kind != "artifact"]
    return found


def write_class(folder: Path, desk: Desk, size: int) -> None:
    """`size` submissions, the same ones every time."""
    draw, bank = random.Random(0), variants(desk.source)
    cells = {cell["id"]: cell for cell in desk.reference["cells"]}
    texts = {name: cell["source"] for name, cell in cells.items()}
    mutants = [mutant for question in desk.source.questions for mutant in mutants_of(question, texts)]
    for number in range(1, size + 1):
        place, kind = folder / f"s{number:03}", draw.random()
        if kind < 0.05:
            place.mkdir()
            (place / "ps1.ipynb").write_text(draw.choice(DAMAGED))
        elif kind < 0.1:
            desk.stub_paper(()).folder.rename(place)
        else:
            changed = {mutant.cell: mutant.source for mutant in draw.sample(mutants, draw.randrange(3))}
            added = [each.cell for _, each in draw.sample(bank, draw.randrange(4))]
            desk._write({**desk.reference, "cells": list(_cells(desk, changed, added))}).rename(place)


def _cells(desk: Desk, changed: dict[str, str], added: list[str]) -> Iterator[dict[str, object]]:
    for cell in desk.reference["cells"]:
        yield {**cell, "source": changed.get(cell["id"], cell["source"])}
    for number, source in enumerate(added):
        metadata = {"metadata": {}, "execution_count": None, "outputs": []}
        yield {"cell_type": "code", "id": f"own{number}", "source": source, **metadata}


def command(papers: Path, output: Path, jobs: int) -> list[str]:
    """What staff type."""
    words = ["grade", "ps1", str(papers), "-o", str(output), "--jobs", str(jobs), "--as", "class"]
    return [sys.executable, "-m", "autograder", *words]


def whole(papers: Path, output: Path, jobs: int) -> bool:
    """One run that nobody disturbs, and what it took; whether that is within the limits."""
    started, peaks = time.monotonic(), []
    with subprocess.Popen(command(papers, output, jobs), stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peaks.append(memory(process.pid))
            time.sleep(LOOK)
    used, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - started
    first, second = max(peaks[: len(peaks) // 2]), max(peaks[len(peaks) // 2 :])
    each = seconds / len(list(papers.iterdir()))
    print(f"wall {seconds:.0f} s, {each:.2f} s for each, processor {used.ru_utime + used.ru_stime:.0f} s")
    print(f"memory at most {max(first, second):.0f} MB; by halves {first:.0f} and {second:.0f} MB")
    return each <= EACH and second <= GROWS * first


def disturbed(papers: Path, output: Path, jobs: int, times: int, longest: float) -> None:
    """Killed at random moments and started again."""
    draw = random.Random(1)
    for _ in range(times):
        process = subprocess.Popen(command(papers, output, jobs), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=draw.uniform(2.0, longest))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        print(f"killed with {len(list(output.glob('results/*/results.json')))} results standing", flush=True)
    subprocess.run(command(papers, output, jobs), stdout=subprocess.DEVNULL, check=False)


def main() -> int:
    """Measure; 1 where a limit does not hold or an interrupted run ends otherwise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--interrupt", type=int, default=0)
    asked = parser.parse_args()
    course = load_course()
    with tempfile.TemporaryDirectory(prefix="class-") as folder:
        base, papers = Path(folder), Path(folder) / "class"
        (base / "desk").mkdir()
        papers.mkdir()
        write_class(papers, Desk(base / "desk", course, read_whole(course, course.problem_set("ps1"))), asked.size)
        print(f"{asked.size} submissions, {asked.jobs} processes; {machine()}", flush=True)
        good = whole(papers, base / "whole", asked.jobs)
        if not asked.interrupt:
            return int(not good)
        disturbed(papers, base / "pieces", asked.jobs, asked.interrupt, longest=40.0)
        same = (base / "whole" / "grades.csv").read_bytes() == (base / "pieces" / "grades.csv").read_bytes()
        print("the same grades.csv" if same else "ANOTHER grades.csv")
        return int(not (good and same))


if __name__ == "__main__":
    sys.exit(main())
