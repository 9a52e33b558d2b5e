"""Code in a worker, and what it raises."""

from typing import Any

import pytest

from autograder.worker import (
    Raised,
    Worker,
)
from tests.walls.inside import Code


def define(worker: Worker, source: str) -> None:
    worker.load([Code(source)])


def raised(worker: Worker, source: str, name: str = "f", args: tuple[Any, ...] = ()) -> Raised:
    define(worker, source)
    with pytest.raises(Raised) as caught:
        worker.call(name, args)
    return caught.value
