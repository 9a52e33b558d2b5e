"""What a question's source holds, with the lines it stands on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autograder.course import ProblemSet

CellType = Literal["code", "markdown"]
PartKind = Literal["code", "written", "artifact"]


@dataclass(frozen=True)
class Role:
    """What a role asks of its cell: the type, the keys it must carry, the kinds of part it may serve."""

    cell_type: CellType
    keys: tuple[str, ...] = ()
    parts: tuple[PartKind, ...] = ()


ROLES = {
    "text": Role("markdown"),
    "given": Role("code"),
    "answer": Role("code", ("part",), ("code", "artifact")),
    "check": Role("code", ("part",), ("code", "written", "artifact")),
    "run": Role("code"),
    "written": Role("markdown", ("part",), ("written",)),
    "artifact": Role("code", ("part", "file"), ("artifact",)),
}


@dataclass(frozen=True)
class Region:
    """What stands between two markers: lines of the file, markers included; `name` is the enclosing definition."""

    kind: Literal["solution", "mark scheme"]
    first_line: int
    last_line: int
    name: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell. `line` is its header's; `source[0]` stands on `first_line`; `names` are what an answer cell defines."""

    role: str
    source: str
    line: int
    first_line: int
    id: str
    part: str = ""
    file: str = ""
    regions: tuple[Region, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def type(self) -> CellType:
        """Code or markdown; the role decides."""
        return ROLES[self.role].cell_type

    def region_lines(self, kind: str) -> tuple[tuple[int, str], ...]:
        """The lines (number, text) between the markers of this kind, without the markers."""
        numbered = list(enumerate(self.source.split("\n"), start=self.first_line))
        regions = [region for region in self.regions if region.kind == kind]
        return tuple((n, text) for r in regions for n, text in numbered if r.first_line < n < r.last_line)

    def public_lines(self) -> tuple[tuple[int, str], ...]:
        """The lines (number, text) outside every region: what reaches the student."""
        hidden = {n for region in self.regions for n in range(region.first_line, region.last_line + 1)}
        numbered = enumerate(self.source.split("\n"), start=self.first_line)
        return tuple((n, text) for n, text in numbered if n not in hidden)


@dataclass(frozen=True)
class Part:
    """One part of a question, as its heading on `line` tells it."""

    part: str
    kind: PartKind
    points: float
    title: str
    line: int


@dataclass(frozen=True)
class Question:
    """One question. `number` is "1" or "x1"; `name` is the file's or folder's, "q1_gaussian"."""

    name: str
    number: str
    title: str
    points: float
    parts: tuple[Part, ...]
    cells: tuple[Cell, ...]
    file: Path


@dataclass(frozen=True)
class SourceSet:
    """A whole set as written: its entry in `course.toml`, the intro's and outro's cells, the questions in order.

    A draft may lack questions, hidden tests and figures.
    """

    plan: ProblemSet
    folder: Path
    intro: tuple[Cell, ...]
    questions: tuple[Question, ...]
    outro: tuple[Cell, ...]
    draft: bool = False

    def cells(self) -> tuple[tuple[Question | None, Cell], ...]:
        """Every cell of the notebook in order, with its question (None in intro and outro)."""
        inner = [(question, cell) for question in self.questions for cell in question.cells]
        return (*((None, cell) for cell in self.intro), *inner, *((None, cell) for cell in self.outro))

    def files_and_cells(self) -> tuple[tuple[Path, Cell], ...]:
        """Every cell of the notebook in order, with the file that it stands in."""
        pages = [(self.folder / "intro.py", cell) for cell in self.intro]
        pages += [(question.file, cell) for question in self.questions for cell in question.cells]
        return (*pages, *((self.folder / "outro.py", cell) for cell in self.outro))
