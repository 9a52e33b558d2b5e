"""The file that is handed in: the notebook and its trained models in one zip, with a receipt."""

import json
import os
import sys
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from pskit import artifact


def submit(name: str, notebook: str | Path | None = None, artifacts: Sequence[str] | None = None) -> Path | None:
    """Write `<name>_submission.zip` with the saved notebook, the artifacts and receipt.json, and say what is in it.

    In Colab the notebook comes from the page itself; elsewhere it is the saved file, so save before you run this.
    Without a notebook nothing is written, and a sentence says what to do.
    """
    content = _from_colab() or _from_file(notebook, name)
    if content is None:
        return None
    files = {f"{name}.ipynb": content}
    for file in artifacts if artifacts is not None else artifact.saved:
        if Path(file).is_file():
            files[Path(file).name] = Path(file).read_bytes()
        else:
            print(f"{file} is missing: run the cell that saves it. The submission is written without it.")
    return _pack(Path(f"{name}_submission.zip"), files)


def points_of(name: str) -> dict[str, float]:
    """What each code part of this notebook is worth, as the release wrote into it; {} where that cannot be read."""
    path = find_notebook(name)
    try:
        notebook = json.loads(_from_colab() or (path.read_bytes() if path else b"{}"))
        questions = notebook["metadata"]["pskit"]["questions"]
        return {part["part"]: part["points"] for q in questions for part in q["parts"] if part["kind"] == "code"}
    except (ValueError, KeyError, TypeError):
        return {}


def _pack(path: Path, files: dict[str, bytes]) -> Path:
    made = datetime.now(UTC).isoformat(timespec="seconds")
    facts: dict[str, dict[str, Any]] = {
        file: {"bytes": len(data), "sha256": sha256(data).hexdigest()} for file, data in files.items()
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, data in files.items():
            archive.writestr(file, data)
        archive.writestr("receipt.json", json.dumps({"made": made, "files": facts}, indent=1))
    print(f"Wrote {path} at {made}:")
    for file, fact in facts.items():
        print(f"  {file}: {fact['bytes'] / 1024:.0f} kB, sha256 {fact['sha256'][:12]}")
    print(f"Its own sha256 is {artifact.sha256(path)}. Upload this file to Gradescope.")
    _download_in_colab(path)
    return path


def _from_colab() -> bytes | None:
    if "google.colab" not in sys.modules:
        return None
    from google.colab import _message

    reply = _message.blocking_request("get_ipynb", timeout_sec=60)
    return json.dumps(reply["ipynb"]).encode() if reply else None


def _from_file(given: str | Path | None, name: str) -> bytes | None:
    path = Path(given) if given else find_notebook(name)
    if path is not None and path.is_file():
        print(f"Taking {path.name} as it was last saved.")
        return path.read_bytes()
    wanted = given or f"{name}.ipynb"
    print(
        f'{wanted} was not found in {Path.cwd()}. Say where it is: submit({name!r}, notebook="path/to/{name}.ipynb").'
    )
    return None


def find_notebook(name: str) -> Path | None:
    """The notebook that runs here, as Jupyter or VS Code name it, else `<name>.ipynb` in this folder."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    in_vscode = getattr(shell, "user_ns", {}).get("__vsc_ipynb_file__")
    candidates = [in_vscode, os.environ.get("JPY_SESSION_NAME"), f"{name}.ipynb"]
    found = (Path(c) for c in candidates if c and Path(c).suffix == ".ipynb" and Path(c).is_file())
    return next(found, None)


def _download_in_colab(path: Path) -> None:
    if "google.colab" in sys.modules:
        from google.colab import files

        files.download(str(path))
