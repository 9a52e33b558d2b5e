"""What several test files share."""

from pathlib import Path

import pytest

from tests.tiny_courses import copy_tiny_course

collect_ignore = ["fixtures"]  # tiny sets hold hidden tests of their own


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On several cores a file's tests stay together, for they share what they set up; long ones go alone, and first."""
    for item in items:
        long = item.get_closest_marker("long") is not None
        item.add_marker(pytest.mark.xdist_group(item.nodeid if long else item.path.name))
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture
def tiny_course(tmp_path: Path) -> Path:
    """A tiny course that the test may change."""
    return copy_tiny_course(tmp_path / "repository")


@pytest.fixture(scope="module")
def shared_tiny_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny course that no test of the module changes."""
    return copy_tiny_course(tmp_path_factory.mktemp("shared") / "repository")
