"""The mirror as a git work tree: written, committed, tagged, pushed. Nothing that is not ours is changed or removed."""

import re
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path

from autograder.publish.contents import PublishError
from autograder.release.wheel import FOLDER

KEPT = f"{FOLDER}/"  # wheels of earlier releases: notebooks that students have ask for them


class Mirror:
    """The clone of the mirror at `folder`; made there where the folder does not exist or is empty."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, branch: str, address: str) -> None:
        """Make sure that it is a repository of its own without changes. Raises PublishError.

        One that is made here has the mirror's address as its origin.
        """
        if not self.folder.exists() or not any(self.folder.iterdir()):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._git("init", "--quiet", "--initial-branch", branch)
            self._git("remote", "add", "origin", address)
        if not (self.folder / ".git").exists():
            raise PublishError(f"{self.folder} is no clone of the mirror, and not empty.")
        if changed := self._git("status", "--porcelain"):
            raise PublishError(f"{self.folder} has changes of its own; commit or remove them:\n{changed}")

    @property
    def branch(self) -> str:
        """The branch that is checked out."""
        return self._git("symbolic-ref", "--short", "HEAD")

    def tracked(self) -> list[str]:
        """Every file of the last commit."""
        return [name for name in self._git("ls-files", "-z").split("\0") if name]

    def has(self, folder: str) -> bool:
        """Whether a folder was published before."""
        return any(name.startswith(f"{folder}/") for name in self.tracked())

    def write(self, files: Mapping[str, bytes], others: Collection[str]) -> list[str]:
        """Make it hold these files, beside earlier wheels and the folders `others`; the names that changed.

        Raises PublishError where it holds a file that nothing here publishes.
        """
        kept = (KEPT, *(f"{name}/" for name in others))
        stale = [name for name in self.tracked() if name not in files and not name.startswith(kept)]
        ours = {name.partition("/")[0] for name in files if "/" in name}
        if strange := [name for name in stale if name.partition("/")[0] not in ours]:
            raise PublishError(
                f"{self.folder} holds what is published from nowhere; remove it: {', '.join(strange[:5])}"
            )
        changed = [name for name, data in files.items() if not self._holds(name, data)]
        for name in changed:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[name])
        for name in stale:
            (self.folder / name).unlink()
        self._git("add", "--all", "--force")
        return changed + stale

    def commit(self, message: str) -> None:
        """Commit what was written, where it differs."""
        if self._git("status", "--porcelain"):
            self._git("commit", "--quiet", "--message", message)

    def tag_release(self, ref: str, term: str) -> str:
        """Tag the commit: `ref` itself where it is no branch, else the term with the next number. The tag's name.

        A commit that has its tag keeps it. Raises PublishError where `ref` is the tag of something else.
        """
        here = self._git("tag", "--points-at", "HEAD").split()
        if ref == self.branch:
            slug = re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")
            mine = [tag for tag in self._git("tag").split() if re.fullmatch(rf"{slug}-\d+", tag)]
            if standing := [tag for tag in here if tag in mine]:
                return standing[0]
            ref = f"{slug}-{1 + max((int(tag.rsplit('-', 1)[1]) for tag in mine), default=0)}"
        elif ref in self._git("tag").split() and ref not in here:
            raise PublishError(
                f"The tag {ref} stands for an earlier release. Choose another mirror_ref in course.toml, run "
                "`python -m autograder release`, commit, and publish again."
            )
        if ref not in here:
            self._git("tag", ref)
        return ref

    def push(self, tag: str) -> None:
        """Push the branch and the tag to where the clone came from."""
        self._git("push", "--quiet", "origin", f"HEAD:refs/heads/{self.branch}", f"refs/tags/{tag}")

    def _holds(self, name: str, data: bytes) -> bool:
        path = self.folder / name
        return path.is_file() and path.read_bytes() == data

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.folder), "-c", "core.autocrlf=false", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PublishError(f"git {arguments[0]} failed in {self.folder}: {done.stderr.strip()}")
        return done.stdout.strip("\n")
