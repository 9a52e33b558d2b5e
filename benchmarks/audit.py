"""The long rounds, and a page that says how each last went: `make audit` writes docs/audit.md.

Runs the tests marked slow (notebooks trained whole and in a browser; fuzzing, hundreds of submissions, a thousand
killed workers), and for each set verify at 20 seeds and mutation of every reference answer, a question at a time: its
row of the set's table is renewed, and the round has passed when every row has. Takes an hour or more per set on two
cores; `--only ps1` or `--only mutation` picks rounds, `--question q3` questions, and the page keeps what it says of the
others. Exit code 1 where a round failed; the page is written either way.
"""

import argparse
import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from machine import machine
from record import ROOT, commit, kept, write

PAGE = ROOT / "docs" / "audit.md"
TITLE = "# The last audit\n\n`make audit` wrote this page. Each round says at which commit and on what it ran.\n"
NOTEBOOKS = tuple(f"tests/test_{name}.py" for name in ("colab", "jupyterlab", "ps_notebooks"))
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
ROW = re.compile(r"^\| (?P<question>[qx]\d+_\w+) \| (?P<verdict>\w+) \|.*$", re.MULTILINE)


@dataclass(frozen=True)
class Result:
    """How one round went; `said` is the end of what it printed."""

    name: str
    command: str
    code: int
    seconds: float
    said: str


def questions() -> dict[str, list[str]]:
    """Every set's questions, extensions included, in their order."""
    sets = tomllib.loads((ROOT / "course.toml").read_text(encoding="utf-8"))["sets"]
    return {name: [*plan["core"], *plan["available"]] for name, plan in sets.items()}


def rounds() -> dict[str, tuple[str, ...]]:
    """Every round by its name: the words after `python -m`."""
    slow = ("pytest", "-q", "-m", "slow")
    named: dict[str, tuple[str, ...]] = {
        "slow tests of the notebooks": (*slow, *NOTEBOOKS),
        "slow tests of the rest": (*slow, *(f"--ignore={file}" for file in NOTEBOOKS)),
    }
    for name in questions():
        named[f"{name} at 20 seeds"] = ("autograder", "verify", name, "--seeds", "20")
        named[f"{name} by mutation"] = ("autograder", "verify", name, "--mutants")
    return named


def run(name: str, words: Sequence[str], logs: Path) -> Result:
    """Run one round; its whole output goes to a log in the folder."""
    print(f"{name} ...", flush=True)
    log = logs / f"{name.replace(' ', '_')}.log"
    started = time.monotonic()
    with log.open("w", encoding="utf-8") as file:
        code = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ | {"COLUMNS": "120"},
            check=False,
        ).returncode
    lines = [line.rstrip() for line in COLOUR.sub("", log.read_text(encoding="utf-8")).splitlines() if line.strip()]
    result = Result(name, "python -m " + " ".join(words), code, time.monotonic() - started, "\n".join(lines[-6:]))
    print(f"{name}: exit code {code}, {result.seconds / 60:.0f} min, log {log}", flush=True)
    return result


def section(result: Result, commit: str) -> str:
    """What the page says of a round."""
    verdict = "passed" if result.code == 0 else f"FAILED with exit code {result.code}"
    return (
        f"## {result.name}: {verdict}\n\n`{result.command}`, {result.seconds / 60:.0f} minutes at commit {commit}. "
        f"{machine()}.\n\n```text\n{result.said}\n```\n"
    )


def row(result: Result, question: str, commit: str) -> str:
    """What the page says of a round of one question."""
    said = result.said.splitlines()[-1].partition(": ")[2] if result.said else ""
    verdict = "passed" if result.code == 0 else "FAILED"
    return f"| {question} | {verdict} | {result.seconds / 60:.1f} | {commit} | {said} |"


def table(name: str, words: Sequence[str], wanted: Sequence[str], before: str, new: dict[str, str]) -> str:
    """A round's section by questions: the new rows, and those that the page has of the other wanted questions."""
    rows = {found["question"]: found[0] for found in ROW.finditer(before)} | new
    there = [rows[question] for question in wanted if question in rows]
    good = sum("| FAILED |" not in each for each in there)
    verdict = "passed" if good == len(wanted) else f"{good} of {len(wanted)} questions passed so far"
    verdict = "FAILED" if good < len(there) else verdict
    head = "| question | verdict | minutes | at commit | last line |\n| --- | --- | ---: | --- | --- |\n"
    command = f"`python -m {' '.join(words)} --question NAME`, a question at a time. {machine()}."
    return f"## {name}: {verdict}\n\n{command}\n\n{head}" + "\n".join(there) + "\n"


def main() -> int:
    """Run the wanted rounds, write the page; 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="WORD", default="", help="the rounds whose name holds this word")
    parser.add_argument("--question", action="append", metavar="q3", default=[], help="a question; may be repeated")
    arguments = parser.parse_args()
    logs = ROOT / "build" / "audit"
    logs.mkdir(parents=True, exist_ok=True)
    measured = commit()
    wanted = {name: words for name, words in rounds().items() if arguments.only in name}
    if not wanted:
        parser.error(f"no round's name holds {arguments.only!r}; there are: {', '.join(rounds())}")
    failed = False
    for name, words in wanted.items():
        for question in parts(name, arguments.question):
            extra = ("--question", question) if question else ()
            result = run(f"{name} {question}".strip(), (*words, *extra), logs)
            failed |= result.code != 0
            renew(name, words, result, question, measured)
    return int(failed)


def parts(name: str, asked: Sequence[str]) -> list[str]:
    """What of a round is run at a time: the questions of a set that are asked for, or "", the round as it is."""
    mine = questions().get(name.split()[0])
    if mine is None:
        return [] if asked else [""]
    return [each for each in mine if not asked or picked(each, asked)]


def picked(question: str, wanted: Sequence[str]) -> bool:
    """Whether `q3_gmm` is among `q3`, `q3_gmm`."""
    return any(each in (question, question.partition("_")[0]) for each in wanted)


def renew(name: str, words: Sequence[str], result: Result, question: str, measured: str) -> None:
    """Renew what the page says of a round, or of a question of it."""
    sections = kept(PAGE, ": ")
    if question:
        new = {question: row(result, question, measured)}
        sections[name] = table(name, words, questions()[name.split()[0]], sections.get(name, ""), new)
    else:
        sections[name] = section(result, measured)
    write(PAGE, TITLE, rounds(), sections)


if __name__ == "__main__":
    sys.exit(main())
