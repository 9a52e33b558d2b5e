"""The same on an existing Dask cluster: submissions travel as bytes, results come back, a lost worker loses none.

A worker's machine needs this repository at the same commit: it says so where its release, hidden tests or code differ.
Graded submissions per process go one after another, so give the workers one thread each.
"""

import contextlib
import logging
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from autograder.batch.job import Answer, Job, answer
from autograder.course import Refusal, repository_root
from autograder.grading import Grader
from autograder.grading.fingerprint import tool_hash
from autograder.grading.setting import Setting
from autograder.worker import IsolationError
from pskit.notebook import BadRelease

AHEAD = 3  # submissions per worker that wait there, so that none is idle and little lies in the scheduler's memory
CONNECT = 20  # seconds
OTHERS = (
    "has loaded another release, other hidden tests or other grading code than this machine. Update its repository "
    "and start it again."
)

_one_at_a_time = threading.Lock()
_graders: dict[Setting, Grader] = {}
_imported: dict[Path, str] = {}  # the hash of each folder of hidden tests, as this process has imported it


class CannotGrade(Exception):
    """A worker that cannot grade this set, or would grade it against something else."""


def hashes_of(grader: Grader) -> tuple[str, ...]:
    """What must be equal wherever a class is graded."""
    return grader.release_hash, grader.hidden_hash, tool_hash()


def run_on_cluster(address: str, setting: Setting, jobs: Iterable[Job]) -> Iterator[tuple[Job, Answer]]:
    """Every submission with its answer, as they are done. Raises Refusal."""
    import distributed

    for name in ("distributed", "distributed.client"):  # of a lost connection they would print the stack
        logging.getLogger(name).setLevel(logging.CRITICAL)
    connect: Any = distributed.Client  # its methods have no types
    try:
        client = connect(address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise Refusal(f"grade: no Dask scheduler answers at {address} ({error}).") from None
    with client:
        yield from _through(client, setting, iter(jobs))


def _through(client: Any, setting: Setting, jobs: Iterator[Job]) -> Iterator[tuple[Job, Answer]]:
    import distributed

    as_completed: Any = distributed.as_completed
    flying: dict[str, Job] = {}
    done = as_completed(loop=client.loop)

    def submit(job: Job) -> None:
        future = client.submit(grade_here, setting, job.path.name, packed(job.path), key=f"grade-{job.name}-{job.key}")
        flying[future.key] = job
        done.add(future)

    for job in islice(jobs, AHEAD * max(1, len(client.scheduler_info()["workers"]))):
        submit(job)
    for future in done:
        yield flying.pop(future.key), _result(future)
        future.release()
        with contextlib.suppress(StopIteration):
            submit(next(jobs))


def _result(future: Any) -> Answer:
    if future.status == "finished":
        found: Answer = future.result()
        return found
    if future.status != "error":
        raise Refusal("grade: the connection to the scheduler is lost. Run the same command again: it goes on.")
    error = future.exception()
    if isinstance(error, CannotGrade):
        raise Refusal(f"grade: {error}")
    return Answer(failure=f"The cluster could not grade it: {type(error).__name__}: {str(error)[:300]}")


def packed(path: Path) -> dict[str, bytes]:
    """A submission's plain files by their names below the folder that it lies in."""
    files = [file for file in sorted(path.rglob("*")) if file.is_file() and not file.is_symlink()]
    return {
        file.relative_to(path.parent).as_posix(): file.read_bytes() for file in ([path] if path.is_file() else files)
    }


def grade_here(setting: Setting, name: str, files: dict[str, bytes]) -> Answer:
    """On a worker of the cluster: grade the file or folder of this name with this process's grader."""
    with _one_at_a_time, tempfile.TemporaryDirectory(prefix="graded-") as folder:
        place = Path(folder) / name
        if name not in files:
            place.mkdir()  # a folder, which may be empty
        for relative, data in files.items():
            file = Path(folder) / relative
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        return answer(_grader(setting), place, setting.questions)


def _grader(setting: Setting) -> Grader:
    """This process's grader. Raises CannotGrade where it is not, or no longer, what the machine that asks would use."""
    try:
        grader = _graders.get(setting) or at_home(setting).grader()
        imported = _imported.setdefault(grader.hidden_dir, grader.hidden_hash)  # nothing is imported twice
        if hashes_of(grader) != setting.hashes or imported != grader.hidden_hash:
            raise CannotGrade(f"a worker of the cluster {OTHERS}")
        if setting not in _graders:
            _graders[setting] = grader.__enter__()
    except (BadRelease, IsolationError, Refusal) as error:
        raise CannotGrade(f"a worker of the cluster says: {error}") from None
    return _graders[setting]


def at_home(setting: Setting) -> Setting:
    """With this machine's own paths, where the repository lies elsewhere than on the machine that asks."""
    if setting.release.exists() and setting.hidden.exists():
        return setting
    root = repository_root()
    release = root.joinpath(*setting.release.parts[-2:])
    return replace(setting, release=release, hidden=root / "autograder" / "hidden" / setting.hidden.name)
