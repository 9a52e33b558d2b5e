"""Run a grader that has no walls of its own without harm to this machine.

Its processes see no other process, no network but their own loopback, and a file system on which only a throw-away
folder can be written. Memory, disk and processor are not bounded, so attacks that use them up are not run here.
Needs root and `unshare`.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

INSIDE = """
import fcntl, json, os, signal, socket, struct, subprocess, sys, time
folder, seconds, report, *command = sys.argv[1:]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sH14s", b"lo", 0x49, b""))
subprocess.run(["mount", "--bind", folder, folder], check=True)
for line in open("/proc/self/mounts").read().splitlines():
    place = line.split()[1].encode().decode("unicode_escape")
    if not (place + "/").startswith((folder + "/", "/proc/", "/dev/", "/sys/")):
        subprocess.run(["mount", "-o", "remount,bind,ro", place], check=False, stderr=subprocess.DEVNULL)
path = os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", "")
places = dict.fromkeys(("HOME", "TMPDIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"), folder)
env = {**os.environ, **places, "PATH": path}
late, code, began = False, None, time.monotonic()
with open(folder + "/said", "wb") as said:
    process = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        code = process.wait(float(seconds))
    except subprocess.TimeoutExpired:
        late = True
        process.send_signal(signal.SIGKILL)
took = time.monotonic() - began
time.sleep(0.5)
def lives(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
left = [pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid() and lives(pid)]
with open(report, "w") as file:
    json.dump({"late": late, "code": code, "left": len(left), "seconds": took}, file)
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended: whether it had to be stopped, its exit code, the processes that it left, its seconds."""

    late: bool
    code: int | None
    left: int
    seconds: float


def run(folder: Path, seconds: float, *command: str) -> Ran:
    """Run a command that may write in `folder` only. Raises RuntimeError where this host cannot hold it."""
    report = folder / "sandbox.json"
    walls = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc"]
    words = [*walls, sys.executable, "-c", INSIDE, str(folder), str(seconds), str(report), *command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=seconds + 120)
    if not report.is_file():
        raise RuntimeError(f"no sandbox here: {done.stderr.strip()[-300:]}")
    return Ran(**json.loads(report.read_text(encoding="utf-8")))
