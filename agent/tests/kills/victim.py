"""The real agent, hurried, with one more command: `count` writes its id to a ledger, so that who counts sees it run."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping

from edgeflow_agent import app
from edgeflow_agent.commands import Verb
from edgeflow_agent.deploy import Trial
from edgeflow_agent.link import Pace
from edgeflow_agent.logs import start_logging
from edgeflow_agent.settings import read_settings

LEDGER = os.environ["KILLS_LEDGER"]
_make_verbs = app.make_verbs


async def count(payload: Mapping[str, object]) -> object:
    """One line, by one system call: it is there whole or not at all, and stays when the process is killed."""
    descriptor = os.open(LEDGER, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, f"{payload['id']}\n".encode())
    os.close(descriptor)
    return {"counted": payload["id"]}


def make_verbs(**parts: object) -> dict[str, Verb]:
    return _make_verbs(**parts) | {"count": count}  # type: ignore[arg-type]


app.make_verbs = make_verbs


async def main() -> None:
    settings = read_settings()
    start_logging(settings.log_level, settings.log_format)
    pace = Pace(first=0.05, cap=0.2, stable=0.3, settle=0.05, resync=0.5, answer=1.0)
    agent = app.Agent(settings, pace=pace, trial=Trial(lasts=0.3, looks=0.05))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, agent.stop)
    await agent.run()


asyncio.run(main())
