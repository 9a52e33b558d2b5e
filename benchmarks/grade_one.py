"""Grade one submission from a cold start and print its wall time and the memory of all processes together.

    python benchmarks/grade_one.py ps1 SUBMISSION [--release PATH]

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
LIMITS = {"wall": 10.0, "memory": 700.0}


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


def main() -> int:
    """Print the figures; 1 where one is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set")
    parser.add_argument("submission")
    parser.add_argument("--release")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "autograder", "grade", arguments.set, arguments.submission, "-o", folder]
        wall, memory, code = measure(command + (["--release", arguments.release] if arguments.release else []))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"wall {wall:.1f} s (limit {LIMITS['wall']:.0f}), processor {used.ru_utime + used.ru_stime:.1f} s")
    print(f"memory {memory:.0f} MB of all processes together (limit {LIMITS['memory']:.0f})")
    print(f"exit code {code}; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "scipy", "pytest"))
    print(f"{platform.machine()} {platform.system()}, Python {platform.python_version()}, {versions}")
    return int(code != 0 or wall > LIMITS["wall"] or memory > LIMITS["memory"])


if __name__ == "__main__":
    sys.exit(main())
