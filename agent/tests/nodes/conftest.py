"""The engine's bench for the types that talk to others, and a free port."""

import socket

from agent.tests.engine.conftest import bench, engine

__all__ = ["bench", "engine"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
