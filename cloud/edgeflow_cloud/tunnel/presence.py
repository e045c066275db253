"""A hub's notes about its devices, on their way to PostgreSQL: departures at once, signs of life now and
then.

Departures are written within 200 ms, many in one statement, fenced by epoch; signs of life every ten
seconds. While PostgreSQL is away notes wait, one a device, and tunnels stay open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

import asyncpg
import structlog

from edgeflow_cloud.devices import Sighting, presence
from edgeflow_cloud.infra.bus import BusAway
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.errors import Unavailable
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.tunnel.routing import Leases
from edgeflow_cloud.tunnel.session import Session

log = structlog.get_logger("edgeflow.tunnel")

DEPARTURE_SECONDS = 0.15
TOUCH_SECONDS = 10.0
_CHUNK = 1000
DATABASE_AWAY = (Unavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


class PresenceWriter:
    """Written by one task. `stale(session, succeeded)` is called for each session that is its device's newest
    connection no more; `succeeded`: another is in.
    """

    def __init__(self, context: Context, leases: Leases, stale: Callable[[Session, bool], None]) -> None:
        self._context = context
        self._leases = leases
        self._stale = stale
        self._departures: dict[DeviceId, tuple[Sighting, str]] = {}
        self._touched: list[Session] = []
        self._wake = asyncio.Event()

    def left(self, session: Session, reason: str) -> None:
        """The session ended; `reason` is for people."""
        if not session.left:
            session.left = True
            self._departures[session.device_id] = (self._sighting(session), reason)
            self._wake.set()

    def came(self, device_id: DeviceId) -> None:
        """A newer session is in: a departure that was not written yet says nothing any more."""
        self._departures.pop(device_id, None)

    def touch(self, session: Session) -> None:
        """A frame came: note it with the next batch."""
        session.touched = True
        self._touched.append(session)

    async def run(self) -> None:
        """Write until cancelled."""
        loop = asyncio.get_running_loop()
        next_touch = loop.time() + TOUCH_SECONDS
        while True:
            try:
                async with asyncio.timeout(max(0.0, next_touch - loop.time())):
                    await self._wake.wait()
                await asyncio.sleep(DEPARTURE_SECONDS)  # those that leave together are written together
            except TimeoutError:
                next_touch = loop.time() + TOUCH_SECONDS
                await self.write_touches()
            self._wake.clear()
            if not await self.write_departures():
                await asyncio.sleep(1.0)
                self._wake.set()

    async def write_departures(self) -> bool:
        """Write what waits; False when PostgreSQL is away and it waits on."""
        while self._departures:
            batch = dict(list(self._departures.items())[:_CHUNK])
            by_reason: dict[str, list[Sighting]] = {}
            for sighting, reason in batch.values():
                by_reason.setdefault(reason, []).append(sighting)
            try:
                async with self._context.db.system_tx("tunnel departures") as tx:
                    for reason, sightings in by_reason.items():
                        await presence.disconnect_many(tx, sightings, reason)
            except DATABASE_AWAY as error:
                log.warning("tunnel.presence_waits", devices=len(self._departures), error=str(error))
                return False
            for device_id, noted in batch.items():
                if self._departures.get(device_id) is noted:
                    del self._departures[device_id]
            with suppress(BusAway):  # leases also end by themselves
                await self._leases.release([(one.device_id, one.epoch) for one, _ in batch.values()])
        return True

    async def write_touches(self) -> bool:
        """Note the signs of life since the last time; sessions with a newer connection elsewhere are told."""
        sessions, self._touched = self._touched, []
        for session in sessions:
            session.touched = False
        return await self.confirm(sessions)

    async def confirm(self, sessions: Iterable[Session]) -> bool:
        """Ask PostgreSQL whether these sessions are still the newest; False when it is away."""
        held = [session for session in sessions if not session.left and not session.replaced]
        for start in range(0, len(held), _CHUNK):
            part = held[start : start + _CHUNK]
            try:
                async with self._context.db.system_tx("tunnel signs of life") as tx:
                    current = await presence.touch_many(tx, [self._sighting(session) for session in part])
                    stale = [session for session in part if session.device_id not in current]
                    succeeded = await presence.list_succeeded(tx, [session.fence for session in stale])
            except DATABASE_AWAY as error:
                log.warning("tunnel.presence_waits", devices=len(held), error=str(error))
                return False
            for session in stale:
                if not session.left:
                    self._stale(session, session.device_id in succeeded)
        return True

    def _sighting(self, session: Session) -> Sighting:
        ago = asyncio.get_running_loop().time() - session.seen
        return Sighting(session.tenant_id, session.device_id, session.epoch, self._at(ago))

    def _at(self, ago: float) -> datetime:
        return self._context.clock.now() - timedelta(seconds=max(0.0, ago))
