"""One cloud for the tests that only use it; those that break one start their own."""

import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.product import Cloud


def free_port() -> int:
    """A port that nobody listens on, apart from those that the kernel and the embedded parts pick by themselves."""
    while True:
        port = random.randrange(15_000, 20_000)
        with socket.socket() as made:
            try:
                made.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A running cloud, shared."""
    made = Cloud(tmp_path_factory.mktemp("cloud"), free_port())
    made.up()
    yield made
    assert made.program.end() == 0, made.program.said()[-3000:]


@pytest.fixture
def new_cloud(tmp_path: Path) -> Iterator[Callable[..., Cloud]]:
    """Makes clouds that a test may break; what still runs at its end is killed."""
    made: list[Cloud] = []

    def make(**settings: str) -> Cloud:
        cloud = Cloud(tmp_path / f"cloud{len(made)}", free_port(), settings)
        cloud.folder.mkdir()
        made.append(cloud)
        return cloud

    yield make
    for cloud in made:
        if cloud.started:
            cloud.kill_everything()
