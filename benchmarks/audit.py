"""The long rounds, and a page that says how the last one went: `make audit` writes docs/audit.md.

Runs the tests marked slow (fuzzing, thousands of killed workers), verify at 20 seeds, and mutation of every reference
answer. Takes an hour or more on two cores. Exit code 1 where a round failed; the page is written either way.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROUNDS = {
    "tests marked slow": ("pytest", "-q", "-m", "slow"),
    "verify at 20 seeds": ("autograder", "verify", "--seeds", "20"),
    "mutation": ("autograder", "verify", "--mutants"),
}
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Result:
    """How one round went; `said` is the end of what it printed."""

    name: str
    command: str
    code: int
    seconds: float
    said: str


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


def page(results: Sequence[Result], commit: str) -> str:
    """The Markdown page."""
    lines = [
        "# The last audit",
        "",
        f"`make audit` at commit {commit}. {os.cpu_count()} cores ({platform.machine()}), Python "
        f"{platform.python_version()}, torch {version('torch')}, numpy {version('numpy')}.",
    ]
    for result in results:
        verdict = "passed" if result.code == 0 else f"FAILED with exit code {result.code}"
        lines += ["", f"## {result.name}: {verdict}", "", f"`{result.command}`, {result.seconds / 60:.0f} minutes."]
        lines += ["", "```text", result.said, "```"]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the wanted rounds, write the page; 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=ROUNDS, action="append", help="this round only; may be repeated")
    wanted = parser.parse_args().only or list(ROUNDS)
    logs = ROOT / "build" / "audit"
    logs.mkdir(parents=True, exist_ok=True)
    commit = subprocess.check_output(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], text=True).strip()
    results = [run(name, ROUNDS[name], logs / f"{name.replace(' ', '_')}.log") for name in wanted]
    (ROOT / "docs" / "audit.md").write_text(page(results, commit), encoding="utf-8")
    return int(any(result.code for result in results))


if __name__ == "__main__":
    sys.exit(main())
