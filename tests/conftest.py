"""What several test files share."""

import shutil
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parent / "fixtures"
collect_ignore = ["fixtures"]  # tiny sets hold hidden tests of their own


@pytest.fixture
def tiny_course(tmp_path: Path) -> Path:
    """A repository with a course of one tiny set, ps9_tiny, that a test may change."""
    root = tmp_path / "repository"
    shutil.copytree(FIXTURES / "tiny_course", root)
    (root / "autograder").mkdir()
    (root / "hidden").rename(root / "autograder" / "hidden")
    return root
