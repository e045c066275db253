"""Which hubs live, in PostgreSQL: a Valkey that was wiped must not look like a hub's death.

Every hub renews its row every three seconds, and looks for others that do not; the workers look too. A hub that
three looks found late, about fifteen seconds, is lost: its devices go offline and their epochs are raised. If it
only slept, its sessions are stale when it wakes, and the fence refuses what they send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta

import structlog

from edgeflow_cloud.devices import list_ending_keys, presence
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.tunnel import queries
from edgeflow_cloud.tunnel.presence import DATABASE_AWAY

log = structlog.get_logger("edgeflow.tunnel")

PULSE_SECONDS = 3.0
LATE_SECONDS = 10.0
"""A hub that could not renew itself for so long may have been given up."""
_KEY_OVERLAP = timedelta(seconds=60)
"""A key's end may be committed this long after the time that it names."""
_CHUNK = 1_000

EndKeys = Callable[[Iterable[tuple[DeviceId, bytes]]], None]


class Pulse:
    """One hub's row. `late()` is called when it may have been given up, `end_keys` with keys that just ended."""

    def __init__(self, context: Context, hub_id: str, late: Callable[[], None], end_keys: EndKeys) -> None:
        self._context = context
        self._hub_id = hub_id
        self._late = late
        self._end_keys = end_keys
        self._keys_since = context.clock.now() - _KEY_OVERLAP

    async def run(self) -> None:
        """Beat until cancelled."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            try:
                await self.beat()
            except DATABASE_AWAY as error:
                log.warning("tunnel.pulse_missed", hub=self._hub_id, error=str(error))
            else:
                now = loop.time()
                if now - last > LATE_SECONDS:
                    self._late()
                last = now
            await asyncio.sleep(PULSE_SECONDS)

    async def beat(self) -> None:
        """Renew the row, end the tunnels of keys that ended, look for hubs that are gone."""
        asked = self._context.clock.now()
        async with self._context.db.system_tx("tunnel hubs") as tx:
            await queries.renew_hub(tx, self._hub_id)
            ending = await list_ending_keys(tx, self._keys_since, timedelta(seconds=2 * PULSE_SECONDS))
        self._keys_since = asked - _KEY_OVERLAP
        self._end_keys([(device_id, hashed) for device_id, hashed, seconds in ending if seconds <= 0.0])
        for device_id, hashed, seconds in ending:
            if seconds > 0.0:  # at its time, not up to a beat later
                key = [(device_id, hashed)]
                asyncio.get_running_loop().call_later(seconds, self._end_keys, key)
        await end_lost_hubs(self._context)

    async def stop(self) -> None:
        """Take the row away: this hub ends in order."""
        try:
            async with self._context.db.system_tx("tunnel hubs") as tx:
                await queries.delete_hub(tx, self._hub_id)
        except DATABASE_AWAY as error:
            log.warning("tunnel.pulse_missed", hub=self._hub_id, error=str(error))


async def end_lost_hubs(context: Context) -> None:
    """Find hubs that are gone, and give their devices up."""
    async with context.db.system_tx("tunnel hubs") as tx:
        lost = await queries.count_missed(tx)
    for hub_id in lost:
        await _end(context, hub_id)


async def _end(context: Context, hub_id: str) -> None:
    count = 0
    while True:
        async with context.db.system_tx("tunnel hub lost") as tx:
            if not await queries.lock_missed(tx, hub_id):
                log.warning("tunnel.hub_woke", hub=hub_id, devices=count)
                return
            given_up = await presence.disconnect_hub(tx, hub_id, limit=_CHUNK)
            count += len(given_up)
            if len(given_up) < _CHUNK:
                await queries.mark_lost(tx, hub_id)
                break
    log.warning("tunnel.hub_lost", hub=hub_id, devices=count)
