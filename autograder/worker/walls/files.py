"""Files: the worker reads Python's library at most, and writes in its private folder only.

Landlock does it on kernels that have it. A chroot into the private folder does it where root may, and also where the
worker's user could not read the library anyway. Where neither is possible, the system-call wall forbids opening files.

Does not protect against reading the names and sizes of files whose paths can be guessed (Landlock does not cover stat;
a chroot does), nor against what installed packages contain.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from landlock import FSAccess, LandlockError, Ruleset, landlock_abi_version

from autograder.worker.walls.plan import NotStanding, Plan

NAME = "files"
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
DETAILS = {
    "landlock": "Landlock: it writes its own folder only, and reads Python's library at most",
    "chroot": "chroot: it sees its own folder only; imports are limited to what is loaded already",
    "closed": "no file can be opened; imports are limited to what is loaded already",
}


def has_landlock() -> bool:
    """Whether the kernel offers Landlock to us."""
    try:
        return bool(landlock_abi_version() >= 1)
    except (LandlockError, OSError, AttributeError):
        return False


def library_folders(site: list[str], spared: list[str]) -> list[str]:
    """What Python itself needs to read, without anything that holds or lies in a `spared` folder (ours)."""
    roots = [str(Path(os.__file__).parent), *site, *SYSTEM, *DEVICES]
    secret = [Path(folder).resolve() for folder in spared]
    return list(dict.fromkeys(str(path) for root in roots for path in _around(Path(root), secret)))


def _around(root: Path, secret: list[Path]) -> Iterator[Path]:
    if not root.exists() or any(root.resolve().is_relative_to(folder) for folder in secret):
        return
    if not any(folder.is_relative_to(root.resolve()) for folder in secret):
        yield root
        return
    for entry in sorted(root.iterdir()):
        yield from _around(entry, secret)


def confine_landlock(plan: Plan) -> None:
    """Restrict by path; before a chroot, while the paths can still be resolved."""
    if "landlock" not in plan.files:
        return
    rules = Ruleset()
    handled = FSAccess.all()
    for path in plan.readable:
        rights = FSAccess.READ_FILE | FSAccess.READ_DIR if Path(path).is_dir() else FSAccess.READ_FILE
        rules.allow(path, rules=rights & handled)
    rules.allow(plan.home, rules=_own_folder() & handled)
    rules.apply()
    os.close(rules._fd)


def confine_chroot(plan: Plan) -> None:
    """Make the private folder the whole file system."""
    if "chroot" in plan.files:
        os.chroot(plan.home)
        os.chdir("/")
        os.environ.update(HOME="/", TMPDIR="/")


def _own_folder() -> FSAccess:
    return (
        FSAccess.READ_FILE | FSAccess.WRITE_FILE | FSAccess.READ_DIR | FSAccess.REMOVE_DIR | FSAccess.REMOVE_FILE
        | FSAccess.MAKE_DIR | FSAccess.MAKE_REG | FSAccess.TRUNCATE
    )  # fmt: skip


def check(plan: Plan) -> str:
    """Try what must fail: reading a file that everyone may read, listing /, writing outside the private folder."""
    for path in ("/etc/passwd", "/proc/self/environ", "/proc/1/status"):
        if _can_open(path, os.O_RDONLY):
            raise NotStanding(f"the worker can read {path}: {_why(plan)}")
    for folder in ("/tmp", "/var/tmp", "/dev/shm"):
        if _can_open(f"{folder}/worker-probe-{os.getpid()}", os.O_WRONLY | os.O_CREAT):
            raise NotStanding(f"the worker can write in {folder}: {_why(plan)}")
    return "; ".join(DETAILS[way] for way in sorted(plan.files))


def check_grader(plan: Plan) -> str:
    """Try to read what the kernel tells about the grader's and the fork server's processes."""
    for pid in plan.grader:
        for name in ("environ", "maps", "mem", "fd/0", "cwd/."):
            if _can_open(f"/proc/{pid}/{name}", os.O_RDONLY):
                raise NotStanding(f"the worker can read /proc/PID/{name} of the grader")
    return "nothing in /proc of the grader's processes can be read"


def _can_open(path: str, flags: int) -> bool:
    try:
        fd = os.open(path, flags, 0o600)
    except OSError:
        return False
    os.close(fd)
    if flags & os.O_CREAT:
        Path(path).unlink()
    return True


def _why(plan: Plan) -> str:
    return "the kernel offers no Landlock" if not plan.files else f"{', '.join(sorted(plan.files))} did not hold"


def python_files() -> list[str]:
    """A few files that an import needs; what the interpreter's probe opens."""
    return [str(sys.modules[name].__file__) for name in ("os", "numpy", "torch")]
