"""Grade one submission from a cold start and print its wall time and the memory of all processes together.

    python benchmarks/grade_one.py ps1 [SUBMISSION] [--release PATH]

Without a submission it is the reference, with its artifacts: nothing in a set takes longer to grade than right answers.
Memory is the largest sum of proportional set sizes (PSS: shared pages count once) over the grader, the fork server and
the workers, looked at every 50 ms; it needs Linux and, for workers of another user, root. The smallest Gradescope
container has 750 MB.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

LOOK = 0.05
MEMORY = 700.0  # MB
WALL = {"ps1": 10.0, "ps2": 20.0, "ps3": 60.0, "ps4": 30.0}  # seconds
REFERENCE = """
import sys
from pathlib import Path
from autograder.course import load_course
from autograder.source import read_set
from autograder.verify.papers import Desk

course = load_course()
plan = course.problem_set(sys.argv[1])
print(Desk(Path(sys.argv[2]), course, read_set(course, plan)).reference_paper(plan.questions).folder)
"""


def descendants(pid: int) -> list[int]:
    """The process and everything below it, by /proc."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def pss(pid: int) -> float:
    """MB of one process, its share of shared pages included."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("Pss:")), 0.0)


def measure(command: list[str]) -> tuple[float, float, int]:
    """Wall seconds, the largest memory in MB, the exit code."""
    started, peak = time.monotonic(), 0.0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        peak = max(peak, sum(pss(pid) for pid in descendants(process.pid)))
        time.sleep(LOOK)
    return time.monotonic() - started, peak, process.returncode


def reference(name: str, folder: Path) -> Path:
    """A folder with the solved notebook of a set and its artifacts, as a student would hand them in."""
    command = [sys.executable, "-c", REFERENCE, name, str(folder)]  # torch stays out of this process
    return Path(subprocess.check_output(command, text=True).splitlines()[-1])


def main() -> int:
    """Print the figures; 1 where one is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set")
    parser.add_argument("submission", nargs="?")
    parser.add_argument("--release")
    arguments = parser.parse_args()
    limit = WALL[arguments.set.split("_")[0]]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as desk:
        submission = arguments.submission or reference(arguments.set, Path(desk))
        command = [sys.executable, "-m", "autograder", "grade", arguments.set, str(submission), "-o", folder]
        wall, memory, code = measure(command + (["--release", arguments.release] if arguments.release else []))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"wall {wall:.1f} s (limit {limit:.0f}), processor {used.ru_utime + used.ru_stime:.1f} s")
    print(f"memory {memory:.0f} MB of all processes together (limit {MEMORY:.0f})")
    print(f"exit code {code}; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "scipy", "pytest"))
    print(f"{platform.machine()} {platform.system()}, Python {platform.python_version()}, {versions}")
    return int(code != 0 or wall > limit or memory > MEMORY)


if __name__ == "__main__":
    sys.exit(main())
