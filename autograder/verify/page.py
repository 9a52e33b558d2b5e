"""The matrix as one self-contained HTML page: no script, no file beside it, readable when printed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from autograder.verify.matrix import Row
from autograder.verify.proof import Proof
from autograder.verify.table import LEGEND, SIGNS, as_expected, head

SQUARE = 6  # of the picture, in pixels
COLOURS = {"passed": "#dce3e8", "lost": "#b3261e", "unusable": "#b3261e", "stub": "#8a949c", "broken": "#e0a100"}


@dataclass(frozen=True)
class Square:
    """One test on one paper in the picture of a set."""

    x: int
    y: int
    colour: str


def page(proofs: Iterable[Proof]) -> str:
    """The page of these proofs."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files("autograder.verify").joinpath("page.html").read_text(encoding="utf-8"))
    return template.render(
        proofs=list(proofs), first=first_seed, groups=by_target, picture=picture, head=head, signs=SIGNS,
        expected=as_expected, legend=LEGEND,
    )  # fmt: skip


def first_seed(proof: Proof) -> dict[str, list[Row]]:
    """The rows that are shown: those of the first seed, of every question that has any."""
    shown = {name: [row for row in rows if row.seed == proof.seeds[0]] for name, rows in proof.rows.items()}
    return {name: rows for name, rows in shown.items() if rows}


def by_target(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Neighbouring rows that stand in for the same name."""
    return [(target, list(group)) for target, group in groupby(rows, key=lambda row: row.target)]


def picture(proof: Proof) -> Markup:
    """The whole set as an SVG of small squares: a block per question, a column per variant, a row per test."""
    squares, left, top = [], 0, 0
    for rows in first_seed(proof).values():
        for row in rows:
            for line, each in enumerate(row.verdicts):
                squares.append(Square(left, top + line, COLOURS.get(each.kind, "#e0a100")))
            left += 1
        top += len(rows[0].verdicts)
    width, height = left * SQUARE, top * SQUARE
    drawn = "".join(
        f'<rect x="{s.x * SQUARE}" y="{s.y * SQUARE}" width="{SQUARE - 1}" height="{SQUARE - 1}" fill="{s.colour}"/>'
        for s in squares
    )
    label = f"{proof.source.plan.name}: every variant (a column) against every hidden test (a row) of its question"
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return Markup(f'<svg role="img" aria-label="{label}" {size}>{drawn}</svg>')
