"""What the fork server is started with: source texts, folders of installed packages, limits. Nothing hidden."""

import importlib.util
import site
import sys
import sysconfig
from pathlib import Path
from typing import Any

import autograder
from autograder.worker.limits import Limits

PACKAGE = Path(__file__).parent
BOOT = PACKAGE / "boot.py"


def configuration(limits: Limits, trial_home: str, without: frozenset[str]) -> dict[str, Any]:
    """The fork server's whole knowledge. `spared` is forgotten there once the readable folders are worked out."""
    return {
        "modules": modules(),
        "packages": sorted(name for name in _sources(_folder("pskit"), "pskit")),
        "site": site_folders(),
        "spared": [str(Path(path).resolve()) for path in autograder.__path__],
        "trial_home": trial_home,
        "limits": limits.plain(),
        "without": sorted(without),
    }


def modules() -> dict[str, tuple[str, bool]]:
    """Every module that the server may import from us: name to (source, whether it is a package)."""
    ours = {"autograder": ("", True), **_sources(PACKAGE, "autograder.worker")}
    # The parent's side of the room stays out; the package's own __init__ would import it.
    ours["autograder.worker"] = ("", True)
    for name in ("client", "carried", "boot"):
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
    assert spec is not None and spec.origin is not None, f"{package} is not installed"
    return Path(spec.origin).parent


def site_folders() -> list[str]:
    """Where installed packages lie, without the paths that .pth files add (an editable install names our folder)."""
    folders = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *_system_sites()]
    return list(dict.fromkeys(folder for folder in folders if Path(folder).is_dir()))


def _system_sites() -> list[str]:
    known = set(site.getsitepackages()) | ({site.getusersitepackages()} if site.ENABLE_USER_SITE else set())
    return [path for path in sys.path if path in known]
