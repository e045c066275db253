"""`edgeflow-cloud serve`: roles of one process on servers that are there already."""

import asyncio
from collections.abc import Sequence

import structlog
import uvloop

from edgeflow_cloud.app.cloud import Cloud, Role
from edgeflow_cloud.app.collector import settle_collector
from edgeflow_cloud.infra.origins import Loaded
from edgeflow_cloud.infra.schema import require_schema
from edgeflow_cloud.infra.supervisor import Supervisor

__all__ = ["Role", "run_serve", "serve"]

log = structlog.get_logger("edgeflow.serve")


async def serve(loaded: Loaded, roles: Sequence[Role]) -> None:
    """Run the roles until a signal. What goes wrong comes through after all that was started has ended."""
    async with Supervisor() as supervisor:
        if loaded.settings.database_url is not None:
            await require_schema(loaded.settings.database_url.reveal())
        cloud = Cloud(loaded.settings, loaded.secrets())
        await supervisor.start(cloud)
        for service in cloud.services(roles):
            await supervisor.start(service)
        settle_collector()
        log.info("ready", roles=[role.value for role in roles], public_url=loaded.settings.public_url)
        await supervisor.wait()
    log.info("ended")


def run_serve(loaded: Loaded, roles: Sequence[Role]) -> None:
    """`serve` in an event loop of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(loaded, roles))
