"""How much memory a worker took, as the kernel tells it: for staff, who choose a container's size by it.

It decides nothing: the limit is the fork server's. A worker that has ended tells nothing any more, nor does
any elsewhere than on Linux.
"""

import re
from pathlib import Path


def resident(pid: int) -> int:
    """MB that a process holds now; 0 where that cannot be read."""
    return _field(pid, "VmRSS")


def grown(pid: int, start: int) -> int:
    """MB that a process held at the most above what it started with."""
    return max(0, _field(pid, "VmHWM") - start)


def _field(pid: int, name: str) -> int:
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text("ascii"), re.MULTILINE)
    except (OSError, ValueError):
        return 0
    return int(found[1]) // 1024 if found else 0
