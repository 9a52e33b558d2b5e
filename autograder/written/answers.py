"""Which of a submission's cells answer which written part, whatever became of the notebook's metadata."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from pskit.notebook import Part, RawCell, Release

HEADING = re.compile(r"^#{1,6} +(?:(x?\d+[a-z]?)\.)?.*$", re.MULTILINE)


@dataclass(frozen=True)
class Answer:
    """A written part and the cells that answer it, in the notebook's order; none where nothing was written."""

    part: Part
    cells: tuple[RawCell, ...]


def written_parts(release: Release) -> list[Part]:
    """The parts that people grade, in the release's order."""
    return [part for question in release.questions for part in question.parts if part.kind == "written"]


def answers(release: Release, released: Sequence[RawCell], submitted: Sequence[RawCell]) -> tuple[Answer, ...]:
    """Every written part with its answer, in the release's order; `released` are the cells that the student got.

    A cell belongs to the part that its metadata name, else to the part under whose heading it stands. What the release
    itself holds is taken out; everything else is kept, in a cell of code, too.
    """
    headings = {m.group(): m.group(1) or "" for cell in _texts(released) for m in HEADING.finditer(cell.source)}
    given = {cell.source.strip() for cell in released}
    around = [cell.source.strip() for cell in released if _claims(cell)[0] in ("text", "written")]
    found: dict[str, list[RawCell]] = {part.part: [] for part in written_parts(release)}
    here = ""
    for cell in submitted:
        here = _part_after(cell, headings, here)
        role, claimed = _claims(cell)
        part = claimed if role == "written" and claimed in found else here
        own = _own(cell, given, around)
        if own and part in found and (cell.kind != "code" or not role):
            found[part].append(replace(cell, source=own))
    return tuple(Answer(part, tuple(found[part.part])) for part in written_parts(release))


def _texts(cells: Sequence[RawCell]) -> list[RawCell]:
    return [cell for cell in cells if cell.kind == "markdown"]


def _part_after(cell: RawCell, headings: Mapping[str, str], here: str) -> str:
    """The part whose heading was met last: the release's headings count, those of the student do not."""
    if cell.kind != "markdown":
        return here
    met = [headings[m.group()] for m in HEADING.finditer(cell.source) if m.group() in headings]
    return met[-1] if met else here


def _claims(cell: RawCell) -> tuple[str, str]:
    ours = cell.metadata.get("pskit")
    ours = ours if isinstance(ours, dict) else {}
    return str(ours.get("role", "")), str(ours.get("part", ""))


def _own(cell: RawCell, given: Collection[str], around: Sequence[str]) -> str:
    """The cell's text without what the release holds; a student may have answered inside the question's own cell."""
    own = cell.source.strip()
    if own in given:
        return ""
    for text in around:
        own = own.replace(text, "").strip()
    return own
