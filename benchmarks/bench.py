"""Every measurement in turn, and a page of what they printed: `make bench` writes benchmarks/RESULTS.md.

    python benchmarks/bench.py [--only WORD] [--peer PATH_OF_A_NANOGPT_CHECKOUT]

For an idle machine. Without a checkout of nanoGPT (github.com/karpathy/nanoGPT, only its model.py is read) its two
comparisons are left as the page has them. `--only` picks measurements by a word of their titles and keeps the others;
the class of 300, a quarter of an hour, is measured only where it is picked. Exit code 1 where one failed; the page is
written either way.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from machine import machine
from record import ROOT, commit, kept, write

PAGE = ROOT / "benchmarks" / "RESULTS.md"
HEAD = """# What was measured

`make bench` wrote this page. Every ratio comes from one run of one command, which measures both sides in turn. PEER is
a checkout of github.com/karpathy/nanoGPT.
"""
SETS = ("ps1", "ps2", "ps3", "ps4")
MEASURED = {
    "Grading and releasing, beside Otter-Grader and nbgrader": ("programs.py", "ps1"),
    **{f"Grading one submission of {name}, cold": ("grade_one.py", name) for name in SETS},
    "What the walls cost": ("worker_cost.py",),
    "EM for mixtures, beside scikit-learn": ("em_vs_sklearn.py",),
    "Byte-pair encoding, beside a plain-Python peer, tiktoken and tokenizers": ("bpe.py",),
    "Samplers of digits, beside the network alone": ("sampling.py",),
    "Writing with a cache of keys and values": ("kv_cache.py", "{peer}"),
    "Training a GPT, beside nanoGPT": ("gpt_vs_peer.py", "{peer}", "--steps", "100"),
}
LONG = {"A class of 300, killed ten times": ("grade_class.py", "--size", "300", "--interrupt", "10")}
NOISE = re.compile(
    r"^\[\w+App \| |^\[IPKernelApp\]|^\d+ submissions, read as|^\d+ of \d+ graded,|: downloading \("
    r"|^number of parameters|^num (non-)?decayed|^using fused"
)


def section(title: str, words: tuple[str, ...], when: str) -> tuple[str, bool]:
    """Measure: the page's section, and whether the command ended well; `when` is the date and the commit."""
    print(f"{title} ...", flush=True)
    started = time.monotonic()
    command = [sys.executable, str(ROOT / "benchmarks" / words[0]), *words[1:]]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    said = "\n".join(line for line in done.stdout.splitlines() if not NOISE.search(line)).strip()
    print(said, done.stderr if done.returncode else "", sep="\n", flush=True)
    said_words = ["PEER" if Path(word).is_dir() else word for word in words[1:]]
    shown = " ".join(["python", f"benchmarks/{words[0]}", *said_words])
    minutes = (time.monotonic() - started) / 60
    verdict = "" if done.returncode == 0 else f" It FAILED with exit code {done.returncode}."
    body = said if said.count("\n|") > 2 else f"```text\n{said}\n```"
    return (
        f"## {title}\n\n`{shown}`, {minutes:.1f} minutes on {when}.{verdict}\n\n{body}\n",
        done.returncode == 0,
    )


def today() -> str:
    """The date, and the commit that was measured."""
    return f"{time.strftime('%Y-%m-%d')} at commit {commit()}"


def main() -> int:
    """Measure what is wanted and write the page; 1 where a command failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="WORD", default="", help="measurements whose title holds this word")
    parser.add_argument("--peer", metavar="PATH", type=Path, help="a folder that holds nanoGPT's model.py")
    asked = parser.parse_args()
    os.environ["PYTHONWARNINGS"] = "ignore"
    sections, good, when = kept(PAGE), True, today()  # before the page is written, which makes the commit dirty
    every = MEASURED | (LONG if asked.only else {})
    for title, words in every.items():
        if asked.only.lower() not in title.lower() or ("{peer}" in words and asked.peer is None):
            continue
        named = tuple(str(asked.peer.resolve()) if word == "{peer}" else word for word in words)
        sections[title], well = section(title, named, when)
        good &= well
        write(PAGE, HEAD, MEASURED | LONG, sections)
    print(machine())
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
