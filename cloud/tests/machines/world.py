"""A world for state machines: the real parts in a loop whose clock can be moved, a hub that can be killed.

Hypothesis runs its machines without an event loop, so this one has its own. `skip` moves its clock and the cloud's:
what waits for a time is due at once, and no test sits a timeout out.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from collections.abc import Callable, Coroutine, Generator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from cloud.tests.conftest import _with_database, make_principal
from edgeflow_cloud import devices
from edgeflow_cloud.infra.blobs import Blobs
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.infra.limits import Limits
from edgeflow_cloud.infra.secrets import Secret, Secrets
from edgeflow_cloud.infra.settings import Settings
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.tunnel import DeviceSide, Hub, listen

T = TypeVar("T")
PAUSE = 0.03
"""Real seconds in which the cloud may work after each step."""


MANY = 60
"""Runs in which a broken promise must show; the first in which it does is the last."""
PICKS = st.integers(0, 1_000)
"""Which of what is there. Nothing that is drawn depends on what the cloud did, so that each run draws the same."""


class Killed(Exception):
    """The process ended here, and its transaction with it."""


def machine_settings(examples: int, steps: int) -> settings:
    """The same runs each time, so that CI is no lottery; EDGEFLOW_MACHINE_EXAMPLES asks for that many random ones."""
    random = os.environ.get("EDGEFLOW_MACHINE_EXAMPLES")
    return settings(
        max_examples=int(random or examples),
        stateful_step_count=steps,
        deadline=None,
        derandomize=random is None,
        database=None,
        phases=[
            Phase.generate
        ],  # shrinking would run a world for minutes; the steps are few enough to be read
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


@contextmanager
def broken_promise() -> Generator[None]:
    """What is done in it must break a promise: an AssertionError of a machine, and no other fault."""
    try:
        yield
    except AssertionError:
        return
    except BaseExceptionGroup as group:  # when it does not fail the same way again, Hypothesis wraps it
        if group.subgroup(AssertionError) is not None:
            return
        raise
    raise RuntimeError("The mutant lives: the machine did not notice it.")


class MovableLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock can be moved on."""

    offset = 0.0

    def time(self) -> float:
        return super().time() + self.offset


class MovableClock:
    """The cloud's clock, moved with the loop's."""

    def __init__(self, loop: MovableLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._loop.offset)


@dataclass
class LivingHub:
    """A hub with a database and a bus of its own, as a process has."""

    hub: Hub
    port: int
    parts: AsyncExitStack
    task: asyncio.Task[None]
    stopping: asyncio.Event
    server: asyncio.Server
    db: Database


class World:
    """One database, one bus, at most one hub."""

    def __init__(self, stack: dict[str, str], folder: Path, side: DeviceSide) -> None:
        self.loop = MovableLoop()
        self._stack, self._folder, self._side = stack, folder, side
        self._opened = AsyncExitStack()
        self.hub: LivingHub | None = None
        self.sockets: set[Socket] = set()
        self.context: Context = self.run(self._open())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it to its end; what is under way beside it goes on meanwhile."""
        return self.loop.run_until_complete(work)

    def pause(self, seconds: float = PAUSE) -> None:
        """Let the cloud work for a moment of real time."""
        self.run(asyncio.sleep(seconds))

    def until(self, truth: Callable[[], bool], seconds: float = 8.0) -> bool:
        """Let the cloud work until it is so, or for so many real seconds; whether it is so."""
        end = time.monotonic() + seconds
        while not truth() and time.monotonic() < end:
            self.pause(0.01)
        return truth()

    def skip(self, seconds: float) -> None:
        """Time passes: both clocks move on, and what is due now is done."""
        self.pause()
        self.loop.offset += seconds
        self.pause()

    def start_hub(self) -> None:
        """A new process of the role `hub`."""
        self.hub = self.run(self._start_hub())

    def kill_hub(self) -> None:
        """kill -9: its connections to the database and to the devices are gone, and it does nothing more."""
        hub, self.hub = self.hub, None
        if hub is not None:
            self.run(self._kill(hub))
            for socket in list(self.sockets):
                socket.cut()

    def make_device(self) -> tuple[Principal, DeviceId, str]:
        """An organization of its own with a device, and the device's key."""
        owner = make_principal()

        async def make() -> tuple[Principal, DeviceId, str]:
            async with self.context.db.tenant_tx(owner) as tx:
                device, key = await devices.create_device(tx, owner, name="a device")
            return owner, device.device_id, key

        return self.run(make())

    def close(self) -> None:
        """End all of it."""
        self.kill_hub()
        self.run(self._opened.aclose())
        self.loop.close()

    async def end_sessions(self) -> None:
        """PostgreSQL ends every session that is at work, as when it is restarted."""
        server = await asyncpg.connect(self._url)
        await server.execute(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'
            """
        )
        await server.close()

    async def _open(self) -> Context:
        name = f"test_{uuid.uuid4().hex}"
        server = await asyncpg.connect(self._stack["database"])
        await server.execute(f"create database {name} template edgeflow_template")
        self._opened.push_async_callback(server.close)
        url = _with_database(self._stack["database"], name)
        self._opened.push_async_callback(server.execute, f"drop database if exists {name} with (force)")
        chosen = Settings(
            data_dir=self._folder,
            database_url=Secret(url),
            valkey_url=Secret(self._stack["valkey"]),
            s3_url=Secret(self._stack["s3"]),
            port=8000,
        )
        self._url = url
        db = Database(url, size=10)
        await db.open()
        self._opened.push_async_callback(db.close)
        bus = Bus(self._stack["valkey"])
        await bus.start()
        self._opened.push_async_callback(bus.close)
        blobs = await self._opened.enter_async_context(Blobs.open(self._stack["s3"], chosen.public_url))

        async def authenticate(_context: Context, _connection: object) -> Principal | None:
            return None

        return Context(
            settings=chosen,
            secrets=Secrets(self._folder / "secrets"),
            clock=MovableClock(self.loop),
            db=db,
            bus=bus,
            blobs=blobs,
            limits=Limits(bus),
            authenticate=authenticate,
        )

    async def _start_hub(self) -> LivingHub:
        parts = AsyncExitStack()
        db = Database(self._url, size=6)
        await db.open()
        bus = Bus(self._stack["valkey"])
        await bus.start()
        parts.push_async_callback(bus.close)
        hub = Hub(replace(self.context, db=db, bus=bus), [self._side])
        stopping = asyncio.Event()
        task = self.loop.create_task(hub.run(stopping))
        server = await listen(hub, "127.0.0.1", 0)
        while hub.receiver() is None:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.005)
        return LivingHub(hub, server.sockets[0].getsockname()[1], parts, task, stopping, server, db)

    async def _kill(self, hub: LivingHub) -> None:
        for pool in (hub.db._app, hub.db._system, hub.db._ingest):
            if pool is not None:
                pool.terminate()
        hub.server.close()
        hub.task.cancel()
        while not hub.task.done():  # a library may swallow one cancellation; the dead do nothing more
            for task in asyncio.all_tasks():
                if task.get_name().startswith("hub-") or task in hub.hub._work:
                    task.cancel()
            await asyncio.wait([hub.task], timeout=0.05)
        with suppress(asyncio.CancelledError, Exception):
            await hub.task
        await hub.parts.aclose()


class Socket:
    """A device's end of a tunnel: everything that comes is kept, in order."""

    def __init__(self, world: World) -> None:
        self._world = world
        world.sockets.add(self)
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self.frames: list[dict[str, Any]] = []
        self.is_open = False

    def open(self, device_id: DeviceId, key: str, **fields: Any) -> bool:
        """Connect; whether it was let in."""
        return self._world.run(self._open(device_id, key, fields))

    def send(self, **frame: Any) -> None:
        """Send a frame; one that nobody reads any more is lost."""

        async def send() -> None:
            if self._socket is not None:
                with suppress(ConnectionClosed, OSError):
                    await self._socket.send(json.dumps(frame))

        self._world.run(send())

    def cut(self) -> None:
        """The power goes: nothing is said any more, and nothing heard."""

        async def cut() -> None:
            if self._socket is not None:
                self._socket.transport.abort()
            if self._reading is not None:
                await asyncio.gather(self._reading, return_exceptions=True)

        self._world.run(cut())
        self.is_open = False
        self._world.sockets.discard(self)

    async def _open(self, device_id: DeviceId, key: str, fields: dict[str, Any]) -> bool:
        hub = self._world.hub
        if hub is None:
            return False
        with suppress(WebSocketException, OSError, TimeoutError):
            self._socket = await connect(
                f"ws://127.0.0.1:{hub.port}/tunnel",
                compression=None,
                ping_interval=None,
                proxy=None,
                open_timeout=None,
                close_timeout=None,
            )
            hello = {
                "device_id": ids.encode(ids.DEVICE, device_id),
                "api_key": key,
                "version": "1.0.0",
                **fields,
            }
            await self._socket.send(json.dumps({"type": "connect", **hello}))
            said = json.loads(
                await asyncio.wait_for(self._socket.recv(), 300)
            )  # as the skipped seconds count
            self.is_open = said["type"] == "connected"
            self._reading = self._world.loop.create_task(self._read(self._socket))
        return self.is_open

    async def _read(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for text in socket:
                self.frames.append(json.loads(text))
        self.is_open = False
