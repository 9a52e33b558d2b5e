"""One set proved: its papers written, graded at every seed, and judged."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import track

from autograder.course import Course, ProblemSet, Refusal, did_you_mean
from autograder.grading.setting import Setting
from autograder.source import SourceError, SourceSet, check_worth, files_of, hidden_test_file, page, read_draft
from autograder.verify.bank import BadVariant, read_variants
from autograder.verify.findings import Finding, findings
from autograder.verify.graders import Graders
from autograder.verify.matrix import Row
from autograder.verify.papers import Desk, Paper


@dataclass(frozen=True)
class Proof:
    """A set, the seeds, the rows of each question at all seeds, and everything that is wrong."""

    source: SourceSet
    seeds: tuple[int, ...]
    rows: dict[str, list[Row]]
    findings: list[Finding]

    def summary(self) -> str:
        """One line: what was graded, and what came of it."""
        papers = {(row.question, row.paper, row.verdict) for rows in self.rows.values() for row in rows}
        count = Counter(verdict for _, _, verdict in papers)
        failures = sum(finding.failure for finding in self.findings)
        verdict = _counted(failures, "failure") if failures else "the graders are right"
        return (
            f"{self.source.plan.name}: {_counted(len(self.rows), 'question')}, {count['wrong']} wrong and "
            f"{_counted(count['right'], 'right variant')}, {_counted(len(self.seeds), 'seed')}; {verdict}."
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def read_whole(course: Course, plan: ProblemSet) -> SourceSet:
    """The set with all its extensions, also those that are not in this term's release."""
    return read_draft(course, replace(plan, extensions=plan.available))


def chosen(source: SourceSet, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The questions to prove: all of the set, or the wanted ones (`q3` will do). Raises Refusal."""
    names = source.plan.questions
    if not wanted:
        return names
    short = {name.partition("_")[0]: name for name in names} | {name: name for name in names}
    for name in wanted:
        if name not in short:
            raise Refusal(f"{source.plan.name} has no question {name!r}. {did_you_mean(name, names)}")
    picked = {short[name] for name in wanted}
    return tuple(name for name in names if name in picked)


def prove(
    course: Course, plan: ProblemSet, wanted: Sequence[str] | None, seeds: int, processes: int, console: Console
) -> Proof:
    """Grade the reference, the stub and every variant of the questions, and judge the graders by it."""
    source = read_whole(course, plan)
    questions = chosen(source, wanted)
    found = [*_missing(course, source, questions), *_worth(course, source, questions)]
    present = tuple(question.name for question in source.questions if question.name in questions)
    draws = tuple(course.hidden_seed + i for i in range(seeds))
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        console.print(f"{plan.name}: writing papers")
        desk = Desk(Path(folder), course, source)
        papers = list(_papers(desk, source, present, found))
        hidden = course.root / "autograder" / "hidden" / plan.name
        setting = Setting(plan.name, desk.release, hidden, seed=0, checks=False)  # each paper comes with its own seed
        with Graders(setting, processes) as graders:
            jobs = [(paper, seed) for seed in draws for paper in papers]  # a seed's oracles are remembered meanwhile
            done = track(graders.grade(jobs), f"{plan.name}: grading", len(jobs), console=console, transient=True)
            graded = [row for rows in done for row in rows]
    rows = {name: _in_order(graded, papers, name) for name in present}
    for name in present:
        found += findings(name, rows[name])
    return Proof(source, draws, rows, found)


def _papers(desk: Desk, source: SourceSet, questions: tuple[str, ...], found: list[Finding]) -> Iterator[Paper]:
    """The long ones first, so that no process waits for the other; a bad variants file becomes a finding."""
    yield desk.reference_paper(questions)
    yield desk.stub_paper(questions)
    taken = {name for question in source.questions for cell in question.cells for name in cell.names}
    for question in source.questions:
        file = page(source.folder / "variants", question.name)
        if question.name in questions and files_of(file):
            names = [name for cell in question.cells for name in cell.names]
            try:
                variants = read_variants(file, names, taken)
            except BadVariant as error:
                found.append(Finding(question.name, str(error)))
                continue
            yield from (desk.variant_paper(variant, question.name) for variant in variants)


def _missing(course: Course, source: SourceSet, questions: tuple[str, ...]) -> Iterator[Finding]:
    for name in questions:
        for file in (
            page(source.folder, name),
            hidden_test_file(course.root, source.plan.name, name),
            page(source.folder / "variants", name),
        ):
            if not files_of(file):
                yield Finding(name, f"{file.relative_to(course.root)} does not exist.")


def _worth(course: Course, source: SourceSet, questions: tuple[str, ...]) -> Iterator[Finding]:
    for question in source.questions:
        if question.name in questions:
            try:
                check_worth(question, hidden_test_file(course.root, source.plan.name, question.name))
            except SourceError as error:
                yield Finding(question.name, str(error))


def _in_order(rows: Sequence[Row], papers: Sequence[Paper], question: str) -> list[Row]:
    """A question's rows as its variants stand in their file, at rising seeds."""
    place = {(paper.name, paper.verdict): i for i, paper in enumerate(papers) if question in paper.questions}
    mine = [row for row in rows if row.question == question]
    return sorted(mine, key=lambda row: (place[row.paper, row.verdict], row.seed))
