"""What a hub has to do with the other hubs: leases, takeovers across hubs, parcels, and reports of clones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from edgeflow_cloud.infra.bus import BusAway
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.tunnel.events import DeviceCloneSuspected
from edgeflow_cloud.tunnel.presence import DATABASE_AWAY
from edgeflow_cloud.tunnel.routing import (
    RENEW_SECONDS,
    REPLACED,
    Leases,
    Parcel,
    channel,
    read_parcel,
    send_parcel,
)

if TYPE_CHECKING:
    from edgeflow_cloud.tunnel.hub import Hub
    from edgeflow_cloud.tunnel.session import Session

log = structlog.get_logger("edgeflow.tunnel")

_REPORT_SECONDS = 3600.0
_WATCH_SECONDS = 2.0


class Neighbours:
    """One hub's side of it. Nothing here raises when Valkey is away: it is tried again ten seconds later."""

    def __init__(self, hub: Hub, leases: Leases) -> None:
        self._hub = hub
        self._leases = leases
        self._renew = asyncio.Event()
        self._reported: dict[DeviceId, float] = {}

    async def announce(self, opened: Sequence[Session]) -> None:
        """Lease these devices, and tell the hubs that had them."""
        epochs = {session.device_id: session.epoch for session in opened}
        try:
            others = await self._leases.claim(list(epochs.items()))
            for device_id, (hub_id, epoch) in others.items():
                ours = epochs[device_id]
                if epoch < ours:
                    await send_parcel(self._hub.context.bus, hub_id, Parcel(device_id, REPLACED, epoch=ours))
                else:
                    self._hub.replace(device_id, epoch)
        except BusAway:
            self._renew.set()

    async def listen(self) -> None:
        """Take parcels from the bus until cancelled."""
        bus = self._hub.context.bus
        async with bus.subscribe(
            channel(self._hub.hub_id), limit=10_000, on_gap=self._renew.set
        ) as subscription:
            async for message in subscription:
                parcel = read_parcel(message.data)
                if parcel is None:
                    log.warning("tunnel.bad_parcel", hub=self._hub.hub_id)
                elif parcel.name == REPLACED:
                    self._hub.replace(DeviceId(parcel.device_id), parcel.epoch)
                else:
                    self._hub.deliver(parcel)

    async def renew(self) -> None:
        """Renew every lease, every ten seconds and at once when Valkey is back; until cancelled."""
        while True:
            try:
                async with asyncio.timeout(RENEW_SECONDS):
                    await self._renew.wait()
                await asyncio.sleep(0.2)
            except TimeoutError:
                pass
            self._renew.clear()
            await self.announce(list(self._hub.sessions.values()))

    async def watch(self) -> None:
        """Notice a Valkey that was emptied: our mark is gone. Then every lease is renewed at once; until
        cancelled.
        """
        seen = False
        while True:
            try:
                kept = await self._leases.mark()
                if seen and not kept:
                    log.warning("tunnel.leases_lost", hub=self._hub.hub_id, devices=len(self._hub.sessions))
                    self._renew.set()
                seen = True
            except BusAway:
                seen = True  # it may come back empty
            await asyncio.sleep(_WATCH_SECONDS)

    async def report_clone(self, session: Session, takeovers: int) -> None:
        """Say it once an hour, and let the other hubs damp the device too."""
        now = asyncio.get_running_loop().time()
        context, device_id = self._hub.context, session.device_id
        try:
            await context.bus.set(f"damped:{device_id}", b"1", ttl=self._hub.limits.damping_seconds)
            is_new = await context.bus.set_if_absent(f"clone:{device_id}", b"1", ttl=_REPORT_SECONDS)
        except BusAway:
            is_new = self._reported.get(device_id, 0.0) <= now
        if not is_new:
            return
        self._reported = {one: until for one, until in self._reported.items() if until > now}
        self._reported[device_id] = now + _REPORT_SECONDS
        event = DeviceCloneSuspected(tenant_id=session.tenant_id, device_id=device_id, takeovers=takeovers)
        try:
            async with context.db.system_tx("tunnel clone suspected") as tx:
                await announce(tx, event)
        except DATABASE_AWAY as error:
            log.warning("tunnel.clone_not_announced", device=str(device_id), error=str(error))
        log.warning("tunnel.clone_suspected", device=session.wire_id, takeovers=takeovers)
