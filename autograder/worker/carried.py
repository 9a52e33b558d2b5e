"""What the fork server is started with: source texts, folders of installed packages, limits. Nothing hidden."""

import importlib.util
import sysconfig
from pathlib import Path
from typing import Any

import autograder
from autograder.worker.limits import Limits
from autograder.worker.preload import NEEDED
from autograder.worker.walls.files import library_folders

PACKAGE = Path(__file__).parent
BOOT = PACKAGE / "boot.py"


def configuration(limits: Limits, trial_home: str, without: frozenset[str]) -> dict[str, Any]:
    """The fork server's whole knowledge."""
    folders = site_folders()
    return {
        "modules": modules(),
        "packages": sorted(name for name in _sources(_folder("pskit"), "pskit")),
        "site": folders,
        "readable": library_folders(folders, [str(path) for path in autograder.__path__]),
        "trial_home": trial_home,
        "limits": limits.plain(),
        "without": sorted(without),
    }


def modules() -> dict[str, tuple[str, bool]]:
    """Every module that the server may import from us: name to (source, whether it is a package)."""
    ours = {"autograder": ("", True), **_sources(PACKAGE, "autograder.worker")}
    # The parent's side of the room stays out; the package's own __init__ would import it.
    ours["autograder.worker"] = ("", True)
    for name in ("client", "remote", "carried", "boot"):
        ours.pop(f"autograder.worker.{name}")
    return ours | _sources(_folder("pskit"), "pskit")


def _sources(folder: Path, package: str) -> dict[str, tuple[str, bool]]:
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join((package, *(parts[:-1] if is_package else parts)))
        found[name] = (path.read_text(encoding="utf-8"), is_package)
    return found


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed", name=package)
    return Path(spec.origin).parent


def site_folders() -> list[str]:
    """Where installed packages lie, without the paths that .pth files add (an editable install names our folder)."""
    needed = [str(_folder(name.split(".")[0]).parent) for name in NEEDED]
    usual = [path for path in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")) if Path(path).is_dir()]
    return list(dict.fromkeys([*needed, *usual]))
