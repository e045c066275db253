"""A hub on real parts with a port of its own, devices in the registry, and a bare client for frames."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from edgeflow_cloud import devices
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.tunnel import DeviceSide, Hub, Limits, listen

WAIT = 5.0


@dataclass
class Registered:
    """A device in the registry and its key."""

    device_id: DeviceId
    key: str

    @property
    def wire_id(self) -> str:
        return ids.encode(ids.DEVICE, self.device_id)


class Client:
    """A socket that speaks JSON frames."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.hello: dict[str, Any] = {}

    async def send(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def receive(self) -> dict[str, Any]:
        return json.loads(await asyncio.wait_for(self.socket.recv(), WAIT))

    async def closed(self) -> int | None:
        """The code with which the other side closes; frames before it are thrown away."""
        try:
            while True:
                await asyncio.wait_for(self.socket.recv(), WAIT)
        except ConnectionClosed:
            return self.socket.protocol.close_code

    async def refusal(self) -> tuple[dict[str, Any], int | None]:
        """The `error` frame and the close code."""
        return await self.receive(), await self.closed()


@dataclass
class Running:
    """A hub that runs."""

    hub: Hub
    port: int

    def open(self) -> connect:
        return connect(f"ws://127.0.0.1:{self.port}/tunnel", compression=None, ping_interval=None, proxy=None)

    @asynccontextmanager
    async def client(self, device: Registered | None = None, **fields: Any) -> AsyncGenerator[Client]:
        """A connected client; with a device it has sent `connect` and read the answer."""
        async with self.open() as socket:
            client = Client(socket)
            if device is not None:
                hello = {"device_id": device.wire_id, "api_key": device.key, "version": "1.0.0"} | fields
                await client.send(type="connect", **hello)
                client.hello = await client.receive()
                assert client.hello["type"] == "connected", client.hello
            yield client


async def until(truth: Callable[[], bool]) -> None:
    """Wait for something that no event tells of, at most WAIT seconds."""
    async with asyncio.timeout(WAIT):
        for _ in itertools.count():
            if truth():
                return
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(context: Context, *sides: DeviceSide, **options: Any) -> AsyncGenerator[Running]:
    """A hub with a port of its own."""
    hub = Hub(context, sides, **options)
    stopping = asyncio.Event()
    task = asyncio.create_task(hub.run(stopping))
    server = await listen(hub, "127.0.0.1", 0)
    await until(lambda: hub.receiver() is not None)
    try:
        yield Running(hub, server.sockets[0].getsockname()[1])
    finally:
        server.close()
        stopping.set()
        await task


@pytest.fixture
async def hub(context: Context) -> AsyncIterator[Running]:
    async with running(context) as hub:
        yield hub


@pytest.fixture
def register(context: Context, owner: Principal) -> Callable[[], Awaitable[Registered]]:
    """Enter one more device."""

    async def enter() -> Registered:
        async with context.db.tenant_tx(owner) as tx:
            device, key = await devices.create_device(tx, owner, name="a device")
        return Registered(device.device_id, key)

    return enter


@pytest.fixture
async def device(register: Callable[[], Awaitable[Registered]]) -> Registered:
    return await register()


@pytest.fixture
async def other_bus(stack: dict[str, str]) -> AsyncIterator[Bus]:
    """The bus of another process."""
    bus = Bus(stack["valkey"])
    await bus.start()
    yield bus
    await bus.close()


@pytest.fixture
def status_of(context: Context, owner: Principal) -> Callable[[DeviceId], Awaitable[str]]:
    """What a reader sees: `online` or `offline`."""

    async def read(device_id: DeviceId) -> str:
        async with context.db.tenant_tx(owner) as tx:
            return (await devices.find_device(tx, owner, device_id)).status.value

    return read


@pytest.fixture
def short() -> Limits:
    """Waits that a test can sit out."""
    return Limits(heartbeat_seconds=0.5, authentication_seconds=0.3)
