"""A public mirror on this machine: releases published into git, and served over loopback as GitHub serves them."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from autograder.cli import main

ROOT = Path(__file__).parents[1]
NEEDED = ("solutions", "autograder/hidden", "pskit", "docs", "LICENSE", "pyproject.toml", "course.toml")
ADDRESS = "https://github.com/generative-models-course/problem-sets"


def copy_repository(root: Path, mirror: str) -> Path:
    """What `release` and `publish` read, at `root`, with the mirror at another address."""
    for name in NEEDED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, root / name)
    course = (root / "course.toml").read_text()
    assert ADDRESS in course
    (root / "course.toml").write_text(course.replace(ADDRESS, mirror))
    return root


@contextmanager
def served(repository: Path) -> Iterator[str]:
    """The address of a mirror whose files are those of the git repository: ADDRESS/raw/REF/PATH."""

    class Files(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, _, _, raw, ref, *path = unquote(self.path).split("/")
            command = ["git", "-C", str(repository), "show", f"{ref}:{'/'.join(path)}"]
            shown = subprocess.run(command, capture_output=True)
            self.send_response(200 if raw == "raw" and shown.returncode == 0 else 404)
            self.send_header("Content-Length", str(len(shown.stdout)))
            self.end_headers()
            self.wfile.write(shown.stdout)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/course/sets"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def published(folder: Path, *sets: str) -> Iterator[Path]:
    """The mirror's clone at `folder`/mirror, with these sets, while it is served; its notebooks know the address."""
    mirror = folder / "mirror"
    with served(mirror) as address:
        root = copy_repository(folder / "repository", address)
        assert main(["release", *sets, "--root", str(root)]) == 0
        assert main(["publish", str(mirror), *sets, "--root", str(root)]) == 0
        yield mirror
