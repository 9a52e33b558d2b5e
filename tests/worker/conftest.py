"""A fork server with room for replies, and a worker of it."""

from collections.abc import Iterator

import pytest

from autograder.worker import (
    ForkServer,
    Limits,
    Worker,
)

MIB = 2**20


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with ForkServer(Limits(memory=512 * MIB, reply=16 * MIB)) as server:
        yield server


@pytest.fixture
def worker(server: ForkServer) -> Iterator[Worker]:
    with server.fork() as worker:
        yield worker
