"""One round of mutation: every mutant graded on its own question, the survivors shown."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from autograder.course import Course, ProblemSet
from autograder.grading.setting import Setting
from autograder.verify.graders import Graders
from autograder.verify.mutation.equivalents import FILE, Equivalents, read_equivalents
from autograder.verify.mutation.mutants import Mutant, mutants_of
from autograder.verify.papers import Desk, Paper
from autograder.verify.proof import chosen, read_whole

TIME_LIMIT = 120.0  # seconds per mutant; one that runs for ever is a mutant that is noticed
BATCH = 200  # papers that lie in the temporary folder at a time


@dataclass
class Round:
    """The mutants of some questions and those among them that got full marks."""

    questions: tuple[str, ...]
    equivalents: Equivalents
    mutants: list[Mutant] = field(default_factory=list)
    survivors: list[Mutant] = field(default_factory=list)

    @property
    def unexplained(self) -> list[Mutant]:
        """Survivors that nobody has listed as equivalent."""
        return [mutant for mutant in self.survivors if self.equivalents.reason(mutant) is None]

    @property
    def stale(self) -> list[str]:
        """Entries of the list that are not needed any more."""
        return self.equivalents.stale(self.questions, self.survivors)

    def summary(self) -> str:
        """The share of survivors, in one line."""
        count, alive, left = len(self.mutants), len(self.survivors), len(self.unexplained)
        share = 100 * left / count if count else 0.0
        return f"{count} mutants: {count - alive} noticed, {alive - left} equivalent, {left} survive ({share:.1f} %)."


def mutate(course: Course, plan: ProblemSet, wanted: Sequence[str] | None, processes: int, console: Console) -> Round:
    """Grade all mutants of the wanted questions; survivors are printed as they are found."""
    source = read_whole(course, plan)
    questions = chosen(source, wanted)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        desk = Desk(Path(folder), course, source)
        texts = {cell["id"]: cell["source"] for cell in desk.reference["cells"]}
        result = Round(questions, read_equivalents(source.folder))
        for question in source.questions:
            if question.name in questions:
                result.mutants += mutants_of(question, texts)
        hidden = course.root / "autograder" / "hidden" / plan.name
        setting = Setting(plan.name, desk.release, hidden, seed=0, time_limit=TIME_LIMIT, checks=False)
        with Graders(setting, processes) as graders, Progress(console=console, transient=True) as progress:
            task = progress.add_task(f"{plan.name}: mutants", total=len(result.mutants))
            for mutant, survived in _graded(desk, graders, result.mutants, course.hidden_seed):
                progress.advance(task)
                if survived:
                    result.survivors.append(mutant)
                    _show(mutant, result.equivalents.reason(mutant), progress.console)
    return result


def _graded(desk: Desk, graders: Graders, mutants: Sequence[Mutant], seed: int) -> Iterator[tuple[Mutant, bool]]:
    for start in range(0, len(mutants), BATCH):
        batch = dict(enumerate(mutants[start : start + BATCH], start=start))
        papers = [desk.mutant_paper(f"{i}", mutant.question, mutant.cell, mutant.source) for i, mutant in batch.items()]
        for rows in graders.grade((paper, seed) for paper in papers):
            yield batch[int(rows[0].paper)], all(row.full for row in rows)
        _tear_up(papers)


def _tear_up(papers: Iterable[Paper]) -> None:
    for paper in papers:
        for file in paper.folder.iterdir():
            file.unlink()


def _show(mutant: Mutant, reason: str | None, console: Console) -> None:
    if reason is None:
        console.print(Text(f"survives: {mutant.question}, {mutant.part}, {mutant.operator}", style="bold red"))
        console.print(Text(mutant.diff), soft_wrap=True)


def tell(result: Round, console: Console) -> None:
    """The table by question, stale entries, and the one line."""
    table = Table(box=None)
    for column in ("question", "mutants", "noticed", "equivalent", "survive"):
        table.add_column(column, justify="left" if column == "question" else "right")
    for question in result.questions:
        made, alive, open_ = (
            sum(mutant.question == question for mutant in mutants)
            for mutants in (result.mutants, result.survivors, result.unexplained)
        )
        table.add_row(question, f"{made}", f"{made - alive}", f"{alive - open_}", f"{open_}")
    console.print(table)
    for sentence in result.stale:
        console.print(Text(f"FAILED  {sentence}", style="bold red"))
    if result.unexplained:
        console.print(f"Each survivor needs a hidden test, or an entry with its reason in {FILE}.")
    console.print(Text(result.summary(), style="bold"))
