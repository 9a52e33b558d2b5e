"""Similar submissions side by side: equal lines beside each other, and marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Indel

from autograder.grading.messages import printable
from autograder.pages import render_page
from autograder.similarity.code import Code
from autograder.similarity.pairs import Pair

MOST = 25  # pairs on the page


@dataclass(frozen=True)
class Line:
    """One row of the comparison; a side that has no such line is None."""

    left: str | None
    right: str | None

    @property
    def same(self) -> bool:
        """Whether the two are one line but for names."""
        return self.left is not None and self.right is not None


def beside(one: Code, other: Code) -> list[Line]:
    """The lines of both, equal ones (names aside) in one row."""
    rows = []
    for step in Indel.opcodes(one.plain, other.plain):
        left, right = one.lines[step.src_start : step.src_end], other.lines[step.dest_start : step.dest_end]
        if step.tag == "equal":
            rows += [Line(*lines) for lines in zip(left, right, strict=True)]
        else:
            rows += [*(Line(line, None) for line in left), *(Line(None, line) for line in right)]
    return rows


def side_page(set_name: str, count: int, found: Sequence[Pair], codes: Mapping[str, Code]) -> str:
    """The pairs that stand out, each with its code; the others as numbers."""
    shown = [pair for pair in found if pair.stands_out][:MOST]
    compared = [(pair, beside(codes[pair.one], codes[pair.other])) for pair in shown]
    values = {"set_name": set_name, "count": count, "compared": compared, "others": _others(found), "clean": printable}
    return render_page("autograder.similarity", "side.html", values)


def _others(found: Sequence[Pair]) -> list[Pair]:
    return [pair for pair in found if not pair.stands_out][:10]
