"""Repositories with a course of one tiny set."""

import shutil
from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"


def copy_tiny_course(root: Path) -> Path:
    """A repository with a course of one tiny set, ps9_tiny, at `root`."""
    shutil.copytree(FIXTURES / "tiny_course", root)
    (root / "autograder").mkdir()
    (root / "hidden").rename(root / "autograder" / "hidden")
    return root
