"""docs/security.md names a test for every claim, and every test that it names exists."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "security.md"


def test_every_test_that_the_security_page_names_exists() -> None:
    named = set(re.findall(r"\b(test_\w+)(?!\.py)\b", PAGE.read_text(encoding="utf-8")))
    defined = {
        name for path in TESTS.rglob("test_*.py") for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }
    files = {path.stem for path in TESTS.rglob("test_*.py")}
    assert len(named) > 30
    assert named - defined - files == set()


def test_every_wall_has_its_line() -> None:
    from autograder.worker.trial import GRADER, LEFTOVERS
    from autograder.worker.walls import CHECKS

    lines = re.findall(r"^\| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.M)
    assert {*CHECKS, GRADER, LEFTOVERS} <= set(lines)
