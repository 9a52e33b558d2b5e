"""Every file of the mirror, by an allow-list: what is not named here is not published."""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from autograder.course import Course, ProblemSet, Refusal
from autograder.publish.readme import mirror_readme
from autograder.release.build import build_release
from autograder.release.files import committed
from autograder.release.leak import find_leaks, refuse_leaks
from autograder.release.secrets import Secret, collect_secrets
from autograder.release.wheel import FOLDER, pskit_wheel
from autograder.source import read_draft

BY_CHANCE, MOST_BY_CHANCE = ("variant", "hidden test"), 2
OURS = Path(__file__).parent
LOOSE = {  # name in the mirror: where it comes from
    "LICENSE": "LICENSE",
    "students.md": "docs/students.md",
}


class PublishError(Refusal):
    """Nothing was published; the text says why, for people."""


def mirror_files(course: Course, plans: Sequence[ProblemSet], shown: Sequence[ProblemSet]) -> dict[str, bytes]:
    """The mirror's files by name, for the sets `plans`; its README lists the sets `shown`.

    Raises Refusal where a committed release is not current, where a file is missing, and where anything secret is in.
    """
    files: dict[str, bytes] = {}
    for plan in plans:
        release = build_release(course, plan)
        if committed(course.root / plan.name) != release:
            again = f"python -m autograder release {plan.short}"
            raise PublishError(f"The committed release of {plan.short} is not current. Run `{again}` and commit.")
        files |= {f"{plan.name}/{name}": data for name, data in release.items()}
    files |= _pskit(course.root)
    files |= {name: _read(course.root / source) for name, source in LOOSE.items()}
    files["environment.yml"] = (OURS / "environment.yml").read_bytes()
    files["README.md"] = mirror_readme(course, shown).encode()
    _refuse_secrets(course, files)
    return files


def _pskit(root: Path) -> dict[str, bytes]:
    """The wheel, and its modules to be read."""
    wheel = pskit_wheel(root)
    with zipfile.ZipFile(io.BytesIO(wheel.data)) as archive:
        sources = {name: archive.read(name) for name in archive.namelist() if name.startswith("pskit/")}
    return {f"{FOLDER}/{wheel.name}": wheel.data, **sources}


def _shared_by_chance(root: Path, secrets: Iterable[Secret]) -> set[Secret]:
    """Lines like `for name, tensor in tensors.items()` that a variant or a hidden test has in common with pskit.

    Up to two of one file are chance; whoever copies a test or an answer copies more. Lines of solutions are none.
    """
    found: dict[Path, set[Secret]] = {}
    for leak in find_leaks(secrets, root / "pskit"):
        if leak.secret.kind in BY_CHANCE:
            found.setdefault(leak.secret.file, set()).add(leak.secret)
    return {secret for shared in found.values() if len(shared) <= MOST_BY_CHANCE for secret in shared}


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise PublishError(f"{path} does not exist; students get it.")
    return path.read_bytes()


def _refuse_secrets(course: Course, files: Mapping[str, bytes]) -> None:
    """The release's leak check on every file, with every extension's secrets, and the seed of the hidden draws."""
    whole = [replace(plan, extensions=plan.available) for plan in course.sets.values()]
    secrets = collect_secrets(course.root, [read_draft(course, plan) for plan in whole])
    chance = _shared_by_chance(course.root, secrets)
    refuse_leaks([secret for secret in secrets if secret not in chance], files)
    seed = str(course.hidden_seed).encode()
    found = [name for name, data in files.items() if len(seed) > 4 and seed in data]
    if found:
        raise PublishError(f"{', '.join(found)} holds the seed of the hidden draws.")
