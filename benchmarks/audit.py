"""The long rounds, and a page that says how each last went: `make audit` writes docs/audit.md.

Runs the tests marked slow (fuzzing, hundreds of submissions, a thousand killed workers), and for each set verify at 20
seeds and mutation of every reference answer. Takes an hour or more per set on two cores; `--only ps1` or
`--only mutation` picks rounds, and the page keeps what it says of the others. Exit code 1 where a round failed; the
page is written either way.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "audit.md"
TITLE = "# The last audit\n\n`make audit` wrote this page. Each round says at which commit and on what it ran.\n"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Result:
    """How one round went; `said` is the end of what it printed."""

    name: str
    command: str
    code: int
    seconds: float
    said: str


def rounds() -> dict[str, tuple[str, ...]]:
    """Every round by its name: the words after `python -m`."""
    sets = tomllib.loads((ROOT / "course.toml").read_text(encoding="utf-8"))["sets"]
    named: dict[str, tuple[str, ...]] = {"slow tests": ("pytest", "-q", "-m", "slow")}
    for name in sets:
        named[f"{name} at 20 seeds"] = ("autograder", "verify", name, "--seeds", "20")
        named[f"{name} by mutation"] = ("autograder", "verify", name, "--mutants")
    return named


def run(name: str, words: Sequence[str], log: Path) -> Result:
    """Run one round; its whole output goes to a log."""
    print(f"{name} ...", flush=True)
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
    machine = f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[0]:.0f} at the end"
    versions = f"Python {platform.python_version()}, torch {version('torch')}, numpy {version('numpy')}"
    return (
        f"## {result.name}: {verdict}\n\n`{result.command}`, {result.seconds / 60:.0f} minutes at commit {commit}. "
        f"{machine}, {versions}.\n\n```text\n{result.said}\n```\n"
    )


def kept() -> dict[str, str]:
    """The sections of the page as it stands, by the name of their round."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    found = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    return {part[3 : part.index(": ")]: part.rstrip() + "\n" for part in found}


def main() -> int:
    """Run the wanted rounds, write the page; 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="WORD", default="", help="the rounds whose name holds this word")
    word = parser.parse_args().only
    logs = ROOT / "build" / "audit"
    logs.mkdir(parents=True, exist_ok=True)
    commit = subprocess.check_output(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], text=True).strip()
    wanted = {name: words for name, words in rounds().items() if word in name}
    if not wanted:
        parser.error(f"no round's name holds {word!r}; there are: {', '.join(rounds())}")
    sections, failed = kept(), False
    for name, words in wanted.items():
        result = run(name, words, logs / f"{name.replace(' ', '_')}.log")
        failed |= result.code != 0
        sections[name] = section(result, commit)
        PAGE.write_text(
            "\n".join([TITLE, *(sections[name] for name in rounds() if name in sections)]), encoding="utf-8"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
