"""A class from its download to results/, grades.csv and the list of those that need a person."""

import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
from rich.console import Console
from rich.text import Text

from autograder.batch.cluster import hashes_of, run_on_cluster
from autograder.batch.download import read_download
from autograder.batch.entries import Download, Entry, twice
from autograder.batch.grades import GRADED, PERSON, UNGRADED, Graded, grades_csv
from autograder.batch.job import Answer, Job
from autograder.batch.ledger import Ledger, extra_of, key_of
from autograder.batch.pool import Pool
from autograder.batch.progress import Watch
from autograder.course import Refusal
from autograder.grading.messages import printable
from autograder.grading.setting import Setting
from pskit.notebook import BadRelease

GRADES, WORK = "grades.csv", "submissions"
MEMORY = 1_000_000_000  # bytes per grading process, with its fork server and a worker


@dataclass(frozen=True)
class Where:
    """How to grade: on `jobs` processes here, or on the cluster at `dask`."""

    jobs: int
    dask: str = ""


def usual_jobs() -> int:
    """As many processes as this one may use cores, and memory allows."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, int(psutil.virtual_memory().available // MEMORY)))


def grade_class(path: Path, output: Path, setting: Setting, where: Where) -> list[Graded]:
    """Grade what is not graded yet, write grades.csv and say what needs a person. Raises Refusal.

    An interruption at any point loses at most what was being graded; the next call goes on from there.
    """
    console = Console(stderr=True)
    setting = _checked(setting)
    with Ledger(output) as ledger:
        download = read_download(path, output / WORK)
        graded = _graded(download, ledger, setting, where, console)
        (output / GRADES).write_text(grades_csv(graded), encoding="utf-8")
    summary(graded, output, Console())
    return graded


def _checked(setting: Setting) -> Setting:
    """With the hashes of what it is graded against; a misspelt question or a bad release is said at once."""
    try:
        grader = setting.grader()
        grader.choose(setting.questions)
    except BadRelease as error:
        raise Refusal(f"grade: {error}") from None
    return replace(setting, hashes=hashes_of(grader))


def _graded(download: Download, ledger: Ledger, setting: Setting, where: Where, console: Console) -> list[Graded]:
    found: dict[str, Graded] = {}
    waiting: list[Job] = []
    for entry in download.entries:
        key = "" if entry.problem else key_of(entry.path, setting)
        earlier = None if entry.problem else ledger.results(entry, key)
        if entry.problem or earlier is not None:
            found[entry.name] = Graded(entry, earlier)
        else:
            waiting.append(Job(entry.name, entry.path, key))
    _say(console, download, len(waiting), sum(each.results is not None for each in found.values()))
    entries = {entry.name: entry for entry in download.entries}
    with Watch(console, len(waiting)) as watch, closing(_answers(setting, where, waiting)) as answers:
        for job, answer in answers:
            results = answer.results and ledger.write(job.name, job.key, answer.results)
            if results is None:
                ledger.set_aside(job.name)
            found[job.name] = Graded(entries[job.name], results, (answer.failure,) * bool(answer.failure))
            watch.step(bool(answer.failure or _why_of(results)))
    others = twice(download.entries)
    return [_judged(found[entry.name], others) for entry in download.entries]


def _answers(setting: Setting, where: Where, jobs: Sequence[Job]) -> Generator[tuple[Job, Answer]]:
    if not jobs:
        return
    if where.dask:
        yield from run_on_cluster(where.dask, setting, jobs)
        return
    with Pool(setting, where.jobs) as pool:
        yield from pool.run(jobs)


def _judged(graded: Graded, others: Mapping[str, Sequence[str]]) -> Graded:
    """With every reason for a person to look."""
    entry: Entry = graded.entry
    again = f"Its student also handed in {', '.join(others[entry.name])}." if entry.name in others else ""
    return replace(
        graded, why=tuple(filter(None, (entry.problem, entry.remark, *graded.why, *_why_of(graded.results), again)))
    )


def _why_of(results: Mapping[str, object] | None) -> tuple[str, ...]:
    return () if results is None else tuple(map(str, extra_of(results).get("staff", ())))


def _say(console: Console, download: Download, waiting: int, earlier: int) -> None:
    known = f", {earlier} graded already" if earlier else ""
    text = f"{len(download.entries)} submissions, read as {download.kind}{known}; {waiting} to grade."
    console.print(Text(text))


def summary(graded: Sequence[Graded], output: Path, console: Console) -> None:
    """How many, and each that needs a person, with its reasons."""
    counts = {state: sum(each.state == state for each in graded) for state in (GRADED, PERSON, UNGRADED)}
    for each in graded:
        if each.why:
            reasons = " ".join(printable(reason) for reason in each.why)
            console.print(Text(printable(f"{each.state}: {each.entry.name}: {reasons}")))
    said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    console.print(Text(f"{said or 'Nothing to grade'}. {output / GRADES}"))


def exit_code(graded: Sequence[Graded]) -> int:
    """1 where something could not be graded."""
    return int(any(each.state == UNGRADED or _by_course(each) for each in graded))


def _by_course(each: Graded) -> bool:
    tests = extra_of(each.results or {}).get("tests", {})
    return any(test.get("outcome") == "CouldNotBeGraded" for test in tests.values())


def interrupted(output: Path) -> int:
    """What Ctrl-C leaves behind; the exit code."""
    print(f"\nInterrupted. {output} keeps what is graded; the same command goes on.", file=sys.stderr)
    return 1
