"""A hub with the commands' side, a device, and somebody who answers for it."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from cloud.tests.conftest import Caller
from cloud.tests.tunnel.conftest import Client, Registered, Running, running
from edgeflow_cloud import devices
from edgeflow_cloud.commands.device import DEVICE_SIDE
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.principal import Principal

NEGOTIATES = {"capabilities": ["telemetry"], "boot_id": "b1"}
Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any] | None]]
Order = Callable[..., Coroutine[Any, Any, Any]]


@pytest.fixture
async def hub(context: Context) -> AsyncIterator[Running]:
    async with running(context, DEVICE_SIDE) as hub:
        yield hub


@pytest.fixture
async def device(context: Context, owner: Principal) -> Registered:
    async with context.db.tenant_tx(owner) as tx:
        made, key = await devices.create_device(tx, owner, name="a device")
    return Registered(made.device_id, key)


@pytest.fixture
def order(client: Caller, device: Registered) -> Order:
    """`await order("action", wait=…, …)`: POST a command, as the owner."""

    async def post(
        action: str = "health_check", *, wait: float = 5, headers: dict[str, str] | None = None, **body: Any
    ) -> Any:
        return await client("owner").post(
            f"/devices/{device.wire_id}/commands",
            params={"wait": wait},
            json={"action": action, **body},
            headers=headers or {},
        )

    return post


@asynccontextmanager
async def answering(socket: Client, answer: Answer | None = None) -> AsyncGenerator[list[dict[str, Any]]]:
    """Answer each command by `answer(frame)` (None: not at all), by default with its payload. Yields what
    came."""
    seen: list[dict[str, Any]] = []

    async def read() -> None:
        with suppress(ConnectionClosed):
            async for text in socket.socket:
                frame = json.loads(text)
                if frame["type"] != "command":
                    continue
                seen.append(frame)
                said = {"status": "success", "data": frame.get("payload", {})}
                if answer is not None:
                    said = await answer(frame)
                if said is not None:
                    await socket.send(type="response", id=frame["id"], **said)

    task = asyncio.create_task(read())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def read(client: Caller, command: dict[str, Any]) -> dict[str, Any]:
    return (await client("owner").get(f"/commands/{command['id']}")).json()


async def ended(client: Caller, command: dict[str, Any], status: str) -> dict[str, Any]:
    """Wait until the command has its final status."""
    now = await read(client, command)
    for _ in range(250):
        if now["finished_at"] is not None:
            break
        await asyncio.sleep(0.02)
        now = await read(client, command)
    assert now["status"] == status, now
    return now
