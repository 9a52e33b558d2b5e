"""How good the graders are, by question: docs/quality.md and the front page's table, from what the last audit says.

    python benchmarks/quality.py

Reads docs/audit.md, which `make audit` writes before it calls this; no number is typed by hand. A question that an
audit has not passed has dashes.
"""

import argparse
import re
import sys
from collections.abc import Collection
from dataclasses import dataclass, replace

from audit import PAGE, questions
from record import ROOT, kept

OUT, README = ROOT / "docs" / "quality.md", ROOT / "README.md"
BLOCK = re.compile(r"(<!-- quality: benchmarks/quality\.py writes it -->\n).*?(<!-- /quality -->)", re.DOTALL)
PASSED = r"\| {question} \| passed \| [\d.]+ \| [\w-]+ \| "
VERIFIED = PASSED + r"1 question, (\d+) wrong and (\d+) right variants, (\d+) seeds"
MUTATED = PASSED + r"(\d+) noticed, (\d+) equivalent, (\d+) survive"
WHOLE = r"^## {name} at 20 seeds: passed\n.*: (?:\d+) questions, (\d+) wrong and (\d+) right variants, (\d+) seeds"
TEXT = """# How good the graders are

`python benchmarks/quality.py` wrote this page from [the last audit](audit.md), which has the commands, the commits and
the machine. `python -m autograder verify PS --question Q --seeds 20` and `--mutants` repeat a row.

- **Wrong caught**: each of these mistakes of a kind that students make loses points in its own question, at every seed
  of the hidden draws.
- **Right accepted**: each of these right answers that differ from the reference gets all points, at every seed.
- **False alarms**: of all gradings of right answers, the reference's included, those that lost a point.
- **Mutants**: the reference with one operator, number or line changed by a program; what nobody could tell from the
  reference by any input is listed with a reason in `equivalent_mutants.toml` and counts as equivalent.

A dash: not run question by question, or not passed. A set that was verified in one run has sums on the front page only.

Those who wrote the tests wrote the mistakes and right answers, too, and mended both until the table looked like this.
So it says that known mistakes are caught; what students do beyond them it cannot say.

Blind tries are the other side: somebody who has the release alone writes all code answers, and uploads once. Language
models did that in November 2026. Of the points for code they got in the core questions 73 of 73 (PS1), 61 of 61 (PS2),
65 of 65 (PS3) and 71 of 71 (PS4), in the extensions 16 of 16, 27 of 28, 17 of 17 and 28 of 28. The lost point was the
grader's fault: a network of leaky ReLUs happened to be linear where a test looked for a bend. That test, and every
sentence that misled them, was mended.
"""
HEAD = """| {first} | wrong caught | right accepted | seeds | false alarms | mutants noticed | equivalent | survive |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""


@dataclass(frozen=True)
class Verified:
    """How many wrong and right variants were graded, at how many seeds; `references` is one for each question."""

    wrong: int
    right: int
    seeds: int
    references: int = 1

    def cells(self) -> list[str]:
        """What a table says."""
        right_answers = (self.right + self.references) * self.seeds
        wrong, right = f"{self.wrong} of {self.wrong}", f"{self.right} of {self.right}"
        return [wrong, right, str(self.seeds), f"0 of {right_answers}"]


@dataclass(frozen=True)
class Counts:
    """What an audit counted; None where it has not passed."""

    verified: Verified | None
    mutated: tuple[int, int, int] | None  # noticed, equivalent, surviving mutants

    def row(self, name: str) -> str:
        """A line of a table."""
        verified = self.verified.cells() if self.verified else ["–"] * 4
        mutated = map(str, self.mutated) if self.mutated else ["–"] * 3
        return f"| {' | '.join([name, *verified, *mutated])} |"


def counts(sections: dict[str, str], name: str, question: str) -> Counts:
    """What the page says of a question."""
    verified = _found(VERIFIED.format(question=question), sections.get(f"{name} at 20 seeds", ""))
    mutated = _found(MUTATED.format(question=question), sections.get(f"{name} by mutation", ""))
    return Counts(Verified(*verified) if verified else None, mutated)


def _found(pattern: str, text: str) -> tuple[int, int, int] | None:
    found = re.search(pattern, text, re.DOTALL)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def total(every: Collection[Counts]) -> Counts:
    """The sums over those that have passed, with the smallest number of seeds."""
    verified = [each.verified for each in every if each.verified]
    mutated = [each.mutated for each in every if each.mutated]
    noticed, equivalent, survive = ([each[i] for each in mutated] for i in range(3))
    sums = (sum(noticed), sum(equivalent), sum(survive)) if mutated else None
    return Counts(_sum(verified) if verified else None, sums)


def _sum(every: Collection[Verified]) -> Verified:
    wrong, right = sum(each.wrong for each in every), sum(each.right for each in every)
    return Verified(wrong, right, min(each.seeds for each in every), len(every))


def verified_whole(sections: dict[str, str], name: str, references: int) -> Verified | None:
    """What the page says of a set that was verified in one run, which has no rows of questions."""
    found = _found(WHOLE.format(name=name), sections.get(f"{name} at 20 seeds", ""))
    return Verified(*found, references) if found else None


def short_row(sections: dict[str, str], name: str, every: Collection[Counts]) -> str:
    """A set's line on the front page."""
    whole = verified_whole(sections, name, len(every))
    known = [replace(each, verified=each.verified or whole) for each in every]
    return replace(total(every), verified=whole or total(every).verified).row(f"PS{name[2]}{proven(known)}")


def proven(every: Collection[Counts]) -> str:
    """How many of a set's questions have passed both rounds, where it is not all of them."""
    done = [each.verified is not None and each.mutated is not None for each in every]
    return "" if all(done) else f" ({sum(done)} of {len(done)} questions)"


def pages(sections: dict[str, str]) -> tuple[str, str]:
    """The page, and the front page's table."""
    found = {name: {each: counts(sections, name, each) for each in asked} for name, asked in questions().items()}
    parts = [TEXT]
    for name, rows in found.items():
        lines = [each.row(question) for question, each in rows.items()]
        parts.append(f"## {name}\n\n{HEAD.format(first='question')}" + "\n".join(lines) + "\n")
    short = "\n".join(short_row(sections, name, rows.values()) for name, rows in found.items())
    return "\n".join(parts), f"\n{HEAD.format(first='set')}{short}\n\n"


def main() -> int:
    """Write both."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    page, table = pages(kept(PAGE, ": "))
    OUT.write_text(page, encoding="utf-8")
    front = README.read_text(encoding="utf-8")
    README.write_text(BLOCK.sub(lambda found: f"{found[1]}{table}{found[2]}", front), encoding="utf-8")
    print(f"{OUT.relative_to(ROOT)} and the table in README.md, from {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
