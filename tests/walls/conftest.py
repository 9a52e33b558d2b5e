"""A fork server with every wall that the host has, and a worker of it."""

from collections.abc import Iterator

import pytest

from autograder.worker import ForkServer, Worker
from tests.walls.inside import LIMITS


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with ForkServer(LIMITS) as server:
        yield server


@pytest.fixture
def worker(server: ForkServer) -> Iterator[Worker]:
    with server.fork() as worker:
        yield worker
