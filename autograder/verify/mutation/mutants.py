"""The mutants of a question: each is one answer cell of the reference with one small change inside its solution."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff

from cosmic_ray.ast import Visitor, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from parso.tree import NodeOrLeaf

from autograder.source import Cell, Question
from autograder.verify.mutation.meaning import meaning
from autograder.verify.mutation.operators import all_operators

COMMENT = re.compile(r" {2,}# .*$", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """A change: `original` and `mutated` are the lines that differ, without their indentation."""

    question: str
    part: str
    cell: str
    operator: str
    original: str
    mutated: str
    source: str
    diff: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same when lines move and comments change."""
        return self.question, without_comments(self.original), without_comments(self.mutated)


def without_comments(lines: str) -> str:
    """The lines without the comments at their ends."""
    return COMMENT.sub("", lines)


def mutants_of(question: Question, sources: Mapping[str, str]) -> Iterator[Mutant]:
    """All different mutants of the question's answers, in the order of the cells.

    `sources` are the cells' texts by id as they stand in the reference notebook.
    """
    for cell in question.cells:
        if cell.role == "answer":
            yield from _of_cell(question, cell, sources[cell.id])


def _of_cell(question: Question, cell: Cell, source: str) -> Iterator[Mutant]:
    first, seen = cell.first_line, {meaning(source)}
    lines = {n - first + 1 for region in cell.regions for n in range(region.first_line, region.last_line)}
    for name, operator in all_operators().items():
        for occurrence in _occurrences(source, operator, lines):
            mutated = mutate_code(source, operator, occurrence)
            said = meaning(mutated)
            if said and said not in seen:
                seen.add(said)
                yield _mutant(question, cell, name, source, mutated)


class _Counter(Visitor):  # type: ignore[misc]
    """Counts an operator's positions as cosmic-ray does, and keeps those that start in the wanted lines."""

    def __init__(self, operator: Operator, lines: set[int]) -> None:
        self._operator, self._lines = operator, lines
        self._count, self.found = 0, list[int]()

    def visit(self, node: NodeOrLeaf) -> NodeOrLeaf:
        for start, _ in self._operator.mutation_positions(node):
            if start[0] in self._lines:
                self.found.append(self._count)
            self._count += 1
        return node


def _occurrences(source: str, operator: Operator, lines: set[int]) -> list[int]:
    counter = _Counter(operator, lines)
    counter.walk(get_ast(source))
    return counter.found


def _mutant(question: Question, cell: Cell, operator: str, source: str, mutated: str) -> Mutant:
    before, after = source.split("\n"), mutated.split("\n")
    changed = [
        block for block in SequenceMatcher(None, before, after, autojunk=False).get_opcodes() if block[0] != "equal"
    ]
    original = "\n".join(line.strip() for _, a, b, _, _ in changed for line in before[a:b])
    replaced = "\n".join(line.strip() for _, _, _, a, b in changed for line in after[a:b])
    diff = "\n".join(list(unified_diff(before, after, lineterm="", n=2))[2:])
    return Mutant(question.name, cell.part, cell.id, operator, original, replaced, mutated, diff)
