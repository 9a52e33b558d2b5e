"""What a measurement ran on, as the pages say it, and the memory of processes."""

import os
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

LOOK = 0.05  # seconds between two looks at the memory


def machine(*packages: str) -> str:
    """Processor, cores, load, Python and the versions of these packages."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages or ("torch", "numpy"))
    load = os.getloadavg()[0]
    return f"{processor()}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}, {versions}"


def processor() -> str:
    """The processor's name where the kernel tells it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


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
    """MB of one process: its proportional share of pages that it shares."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("Pss:")), 0.0)


def memory(pid: int) -> float:
    """MB of the process and all below it, shared pages counted once."""
    return sum(pss(each) for each in descendants(pid))


def measure(command: list[str], folder: Path | None = None) -> tuple[float, float, int]:
    """Run a command: wall seconds, the largest memory in MB, the exit code."""
    started, peak = time.monotonic(), 0.0
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        peak = max(peak, memory(process.pid))
        time.sleep(LOOK)
    return time.monotonic() - started, peak, process.returncode
