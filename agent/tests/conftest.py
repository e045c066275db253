"""What the agent's tests share: a cloud double, agents on folders of their own, and waiting with an end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

import pytest

from agent.tests.cloud_double import CloudDouble
from edgeflow_agent.app import Agent
from edgeflow_agent.deploy import Trial
from edgeflow_agent.link import Pace
from edgeflow_agent.settings import Settings

HURRY = Pace(
    first=0.05,
    cap=0.2,
    slow=0.3,
    stable=0.3,
    settle=0.05,
    handshake=2.0,
    pong=0.3,
    closing=1.0,
    resync=0.4,
    answer=0.6,
)


QUICK = Trial(lasts=0.1, looks=0.02)


class StartAgent(Protocol):
    """Starts an agent in this process; it is stopped at the end of the test, if the test did not."""

    async def __call__(self, *, pace: Pace = HURRY, folder: str = "agent", **settings: object) -> Agent: ...


@pytest.fixture
async def cloud() -> AsyncIterator[CloudDouble]:
    double = await CloudDouble().start()
    yield double
    await double.stop()


@pytest.fixture
async def start_agent(cloud: CloudDouble, tmp_path: Path) -> AsyncIterator[StartAgent]:
    logging.getLogger("edgeflow_agent").setLevel(logging.DEBUG)
    running: list[tuple[Agent, asyncio.Task[None]]] = []

    async def start(*, pace: Pace = HURRY, folder: str = "agent", **changes: object) -> Agent:
        values: dict[str, object] = {
            "server_url": cloud.address,
            "enable_tls": False,
            "server_port": 0,
            "agent_dir": tmp_path / folder,
            "metrics_interval": 0.05,
        }
        agent = Agent(Settings(**(values | changes)), pace=pace, trial=QUICK)  # type: ignore[arg-type]
        running.append((agent, asyncio.create_task(agent.run())))
        return agent

    yield start
    for agent, _ in running:
        agent.stop()
    for _, task in running:
        await asyncio.wait_for(task, 10)


async def until(claim: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until `claim` holds; fails after `seconds`."""
    async with asyncio.timeout(seconds):
        while not claim():  # noqa: ASYNC110 - what is claimed may be of another process
            await asyncio.sleep(0.01)
