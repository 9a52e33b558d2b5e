"""Grade one submission from a cold start and print its wall time and the memory of all processes together.

    python benchmarks/grade_one.py ps1 [SUBMISSION] [--release PATH]

Without a submission it is the reference, with its artifacts: nothing in a set takes longer to grade than right answers.
Memory is the largest sum of proportional set sizes (PSS: shared pages count once) over the grader, the fork server and
the workers, looked at every 50 ms; it needs Linux and, for workers of another user, root. The smallest Gradescope
container has 750 MB.
"""

import argparse
import resource
import sys
import tempfile
from pathlib import Path

from machine import machine, measure
from reference import solved

MEMORY = 700.0  # MB
WALL = {"ps1": 10.0, "ps2": 20.0, "ps3": 60.0, "ps4": 30.0}  # seconds


def main() -> int:
    """Print the figures; 1 where one is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set")
    parser.add_argument("submission", nargs="?")
    parser.add_argument("--release")
    arguments = parser.parse_args()
    limit = WALL[arguments.set.split("_")[0]]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as desk:
        submission = arguments.submission or solved(arguments.set, Path(desk))
        command = [sys.executable, "-m", "autograder", "grade", arguments.set, str(submission), "-o", folder]
        wall, memory, code = measure(command + (["--release", arguments.release] if arguments.release else []))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"wall {wall:.1f} s (limit {limit:.0f}), processor {used.ru_utime + used.ru_stime:.1f} s")
    print(f"memory {memory:.0f} MB of all processes together (limit {MEMORY:.0f})")
    print(f"exit code {code}; {machine('torch', 'numpy', 'scipy', 'pytest')}")
    return int(code != 0 or wall > limit or memory > MEMORY)


if __name__ == "__main__":
    sys.exit(main())
