"""What a hub has to do with the other hubs: leases, takeovers across hubs, parcels."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from edgeflow_cloud.infra.bus import BusAway
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.tunnel.routing import (
    RENEW_SECONDS,
    REPLACED,
    Leases,
    Parcel,
    channel,
    read_parcel,
    send_parcel,
)
from edgeflow_cloud.tunnel.session import Session

log = structlog.get_logger("edgeflow.tunnel")

_WATCH_SECONDS = 2.0


class Host(Protocol):
    """The hub, as its neighbours' side of it needs it."""

    hub_id: str
    context: Context

    @property
    def sessions(self) -> Mapping[DeviceId, Session]:
        """The live session of each device."""
        ...

    def replace(self, device_id: DeviceId, epoch: int) -> None:
        """A connection with `epoch` is in: an older one that is open here must go."""
        ...

    def deliver(self, parcel: Parcel) -> None:
        """A signal for one of our devices."""
        ...


class Neighbours:
    """One hub's side of it. Nothing here raises when Valkey is away: it is tried again ten seconds later."""

    def __init__(self, hub: Host, leases: Leases) -> None:
        self._hub = hub
        self._leases = leases
        self._renew = asyncio.Event()

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
