"""A hub with every subsystem's side, devices in the registry, and REST on a port: what a simulated device meets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest
import uvicorn
from starlette.requests import HTTPConnection

from cloud.tests.tunnel.conftest import Running, running
from edgeflow_cloud import devices
from edgeflow_cloud.app.api import create_api
from edgeflow_cloud.app.callers import authenticate
from edgeflow_cloud.app.server import listen_on
from edgeflow_cloud.app.subsystems import SUBSYSTEMS
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.simulator import Credentials
from edgeflow_cloud.tunnel import DeviceSide


@dataclass
class Place:
    """Addresses of a cloud of the test's own."""

    hub: Running
    rest: str

    @property
    def tunnel(self) -> str:
        return f"ws://127.0.0.1:{self.hub.port}/tunnel"


@pytest.fixture
async def place(context: Context) -> AsyncIterator[Place]:
    async def by_name_or_key(ctx: Context, connection: HTTPConnection) -> Principal | None:
        return await context.authenticate(ctx, connection) or await authenticate(ctx, connection)

    outside = replace(context, authenticate=by_name_or_key)  # field clients come with their keys
    sides = [item.device for item in SUBSYSTEMS if isinstance(item.device, DeviceSide)]
    listening = listen_on("127.0.0.1", 0)
    config = uvicorn.Config(create_api(outside, SUBSYSTEMS), log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        async with running(context, *sides) as hub:
            yield Place(hub, f"http://127.0.0.1:{listening.getsockname()[1]}")
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
def register(context: Context, owner: Principal) -> Callable[[int], Awaitable[list[Credentials]]]:
    """Enter devices."""

    async def enter(count: int) -> list[Credentials]:
        made: list[Credentials] = []
        async with context.db.tenant_tx(owner) as tx:
            for number in range(count):
                device, key = await devices.create_device(tx, owner, name=f"simulated {number}")
                made.append(Credentials(ids.encode(ids.DEVICE, device.device_id), key, "", number))
        return made

    return enter
