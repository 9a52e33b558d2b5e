"""What a worker's processes use, as the fork server sees them in /proc.

Looks every 50 ms: what is allocated and freed between two looks is not seen. The resource limits are the hard bound
for one process; this is the bound for shared memory, several processes, the folder and the count of threads.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")


class Usage(NamedTuple):
    """Bytes of memory that only these processes have, and their count of threads."""

    memory: int
    threads: int


def processes() -> dict[int, tuple[int, int]]:
    """Every process: its id to (its parent, its user)."""
    found = {}
    for pid in (int(entry.name) for entry in PROC.glob("[1-9]*")):
        fields = _status(pid)
        if fields is not None:
            found[pid] = int(fields["PPid"]), int(fields["Uid"].split()[0])
    return found


def descendants(pid: int, table: dict[int, tuple[int, int]]) -> Iterator[int]:
    """The process ids below this one."""
    for child, (parent, _) in table.items():
        if parent == pid:
            yield child
            yield from descendants(child, table)


def usage(pids: list[int], inherited: int) -> Usage:
    """Of these processes together, beyond the bytes that each inherited; one that has ended counts as nothing."""
    every = [fields for pid in pids if (fields := _status(pid)) is not None]
    sizes = (1024 * (_kilobytes(fields, "RssAnon") + _kilobytes(fields, "RssShmem")) for fields in every)
    return Usage(sum(max(size - inherited, 0) for size in sizes), sum(int(f.get("Threads", 0)) for f in every))


def folder_size(folder: str, most_files: int) -> tuple[int, int]:
    """Bytes and files below a folder, links not followed; stops counting beyond `most_files`.

    A folder that cannot be looked into, because its path is too long, counts as too many files.
    """
    size = count = 0
    waiting = [folder]
    while waiting and count <= most_files:
        try:
            entries = list(os.scandir(waiting.pop()))
        except (FileNotFoundError, NotADirectoryError):  # gone in between
            continue
        except OSError:
            return size, most_files + 1
        count += len(entries)
        size += sum(entry.stat(follow_symlinks=False).st_blocks * 512 for entry in entries if _exists(entry))
        waiting += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    return size, count


def _exists(entry: "os.DirEntry[str]") -> bool:
    try:
        entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return True


def _status(pid: int) -> dict[str, str] | None:
    try:
        text = (PROC / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return dict(line.split(":\t", 1) for line in text.split("\n") if ":\t" in line)


def _kilobytes(fields: dict[str, str], name: str) -> int:
    return int(fields.get(name, "0 kB").split()[0])
