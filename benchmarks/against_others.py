"""The red team's attacks on this grader, on Otter-Grader and on nbgrader; writes benchmarks/against_others.md.

    python benchmarks/against_others.py [--attack NAME ...] [--all]

The others run in a sandbox (others/sandbox.py), which needs root and `unshare`. Each of their runs starts a command, a
kernel and torch: a quarter of a minute on an idle machine.
"""

import argparse
import contextlib
import io
import json
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"

from others import attacks, with_nbgrader, with_otter  # noqa: E402
from others.assignment import FULL, TARGET  # noqa: E402
from others.verdict import Verdict  # noqa: E402

from autograder.grading import Grader  # noqa: E402
from autograder.grading.batch import grade_one  # noqa: E402
from autograder.worker import Limits  # noqa: E402
from tests.redteam.referee import STUB_WEIGHTS, leaks  # noqa: E402
from tests.redteam.roster import Attack, roster  # noqa: E402

PAGE = Path(__file__).with_suffix(".md")
MIB = 2**20
Graded = Callable[[str, str], Verdict]
PROSE = """# The same attacks on other graders

`python benchmarks/against_others.py{all}`: {ran} of the red team's {attacks} attacks (`tests/redteam/attacks`).
{versions}, Python {python}, {cores} cores, load {load:.0f}.

The target assignment (`tests/redteam/target`) was put into each grader's format from one source: the same stubs, and
hidden tests with the same claims and constants, written the way its manual shows. The attack is the first answer cell.
Where a grader's layout asks for it, a path was adapted (`others/attacks.py`). Before the attacks, right answers got
{good} of {full} points and the untouched stub {stub} (Otter, nbgrader).

Otter ran as `otter run`, nbgrader as `nbgrader autograde`, each for one submission, and were stopped after
{otter:.0f} s and {nbgrader:.0f} s. nbgrader's own limit of a cell was its default, {cell} s; `otter run` has none. What
this comparison cannot say: `otter grade` puts a container around each submission, which protects the machine and ends
endless loops; the student's code still shares a process with the tests there, so forging is the same. Both ran as root
in a sandbox that keeps this machine safe; with a container or an unprivileged user around them, an attack reaches less
outside than the table says. nbgrader's feedback shows students the executed hidden tests by design, so a leak of their
text is not counted against it. "It got what it was after": the attack reached its own goal, such as a file, a token or
a socket. "No score": the attack left the grader without a result for its submission.
"""


def ours(grader: Grader, folder: Path, attack: Attack) -> Verdict:
    """The attack as the red team hands it in here; a leak into the report counts as reached.

    That it ends in its time on a machine that is not busy is tests/redteam's to assert.
    """
    submission, output = attack.write(folder / attack.name, STUB_WEIGHTS), folder / f"results of {attack.name}"
    grader.time_limit, started = attack.seconds, time.monotonic()
    with contextlib.redirect_stdout(io.StringIO()):
        grade_one(grader, submission, output, attack.questions)
    results = json.loads((output / "results.json").read_text(encoding="ascii"))
    reached = "exit code 77" in str(results["tests"]) or bool(leaks(results))
    points = float(results["score"]) if "does not count" not in results["output"] else None
    return Verdict(points, reached, False, 0, time.monotonic() - started)


def table(rows: Sequence[tuple[Attack, Verdict, Verdict, Verdict]]) -> list[str]:
    """One line per attack."""
    lines = ["| threat | attack: what should hold | this grader | Otter-Grader | nbgrader |", "|---|---|---|---|---|"]
    for attack, *verdicts in rows:
        claim = " ".join(attack.claim.split()).replace("|", "\\|")
        lines.append(f"| {attack.threat} | `{attack.name}`: {claim} | {' | '.join(v.words for v in verdicts)} |")
    held = [sum(row[place].words == "withstood" for row in rows) for place in (1, 2, 3)]
    return [
        *lines,
        f"| | **withstood** | {held[0]} of {len(rows)} | {held[1]} of {len(rows)} | {held[2]} of {len(rows)} |",
    ]


def page(rows: Sequence[tuple[Attack, Verdict, Verdict, Verdict]], checks: dict[str, tuple[Verdict, Verdict]]) -> str:
    """The Markdown page."""
    reasons = Counter(choice.reason for choice in attacks.choices() if choice.reason)
    ran = {attack.name for attack, *_ in rows}
    later = sum(not choice.reason and choice.attack.name not in ran for choice in attacks.choices())
    points = {kind: " and ".join(_points(verdict) for verdict in both) for kind, both in checks.items()}
    text = PROSE.format(
        ran=len(rows),
        all="" if later else " --all",
        attacks=len(roster()),
        versions=", ".join(f"{name} {version(name)}" for name in ("otter-grader", "nbgrader", "torch")),
        python=platform.python_version(),
        cores=os.cpu_count(),
        load=os.getloadavg()[0],
        full=FULL,
        otter=with_otter.SECONDS,
        nbgrader=with_nbgrader.SECONDS,
        cell=with_nbgrader.CELL_SECONDS,
        **points,
    )
    left_out = [f"- {count} {reason}" for reason, count in sorted(reasons.items())]
    left_out.append(f"- {later} apply and were not part of this run (`--all` runs them)")
    return "\n".join([text, *table(rows), "", "Of the red team's other attacks:", "", *left_out, ""])


def _points(verdict: Verdict) -> str:
    return "no score" if verdict.points is None else f"{verdict.points:g}"


def main() -> int:
    """Run what was chosen on all three and write the page; 1 where this grader did not withstand."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attack", action="append", choices=[attack.name for attack in roster()], metavar="NAME")
    parser.add_argument("--all", action="store_true", help="every attack that applies")
    arguments = parser.parse_args()
    wanted = set(arguments.attack or attacks.CHOSEN)
    chosen = [c for c in attacks.choices() if not c.reason and (arguments.all or c.attack.name in wanted)]
    originals = {attack.name: attack for attack in roster()}
    limits = Limits(memory=300 * MIB, folder=32 * MIB, file=8 * MIB, files=300, threads=32)
    os.environ.update(attacks.HARNESS_TOKENS)
    rows: list[tuple[Attack, Verdict, Verdict, Verdict]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ours").mkdir()
        otter: Graded = with_otter.Otter(folder / "otter").grade
        nbgrader: Graded = with_nbgrader.Nbgrader(folder / "nbgrader").grade
        good, stub = (TARGET / "good.py").read_text(encoding="utf-8"), "NOTHING = 1\n"
        checks = {
            kind: (otter(kind, text), nbgrader(kind, text)) for kind, text in {"good": good, "stub": stub}.items()
        }
        with (
            Grader("ps0_target", TARGET / "target.ipynb", TARGET / "hidden", 1, limits, checks=True) as grader,
            ThreadPoolExecutor(2) as both,  # an attack waits side by side in Otter and nbgrader
        ):
            for choice in chosen:
                attack = choice.attack
                here = ours(grader, folder / "ours", originals[attack.name])
                theirs = both.map(lambda grade, attack=attack: grade(attack.name, attack.source), (otter, nbgrader))
                row = (attack, here, *theirs)
                rows.append(row)
                print(attack.name, *(verdict.words for verdict in row[1:]), sep=" | ", flush=True)
                PAGE.write_text(page(rows, checks), encoding="utf-8")
    return int(any(row[1].words != "withstood" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
