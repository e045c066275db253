"""What becomes of the suspicion that two boxes share a key: damped on all hubs, kept for people, said once an hour."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from edgeflow_cloud import audit
from edgeflow_cloud.devices import Device
from edgeflow_cloud.explanations import Finding, State
from edgeflow_cloud.infra.bus import BusAway
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.kernel.principal import Principal, system_principal
from edgeflow_cloud.tunnel import queries
from edgeflow_cloud.tunnel.events import DeviceCloneSuspected
from edgeflow_cloud.tunnel.model import Limits
from edgeflow_cloud.tunnel.presence import DATABASE_AWAY

log = structlog.get_logger("edgeflow.tunnel")

SAID_SECONDS = 3600.0
STANDS = timedelta(days=1)
"""A suspicion that nothing confirmed for so long is not shown any more."""


class Suspect(Protocol):
    """The device, as its session knows it."""

    tenant_id: TenantId
    device_id: DeviceId


class Suspicions:
    """One hub's reports. Nothing here raises when Valkey or PostgreSQL is away: the next takeover reports again."""

    def __init__(self, context: Context, limits: Limits) -> None:
        self._context = context
        self._limits = limits
        self._said: dict[DeviceId, float] = {}

    async def report(self, suspect: Suspect, takeovers: int, addresses: Sequence[str]) -> None:
        """Let the other hubs damp the device too, and note it; its audit row and event come once an hour."""
        tenant_id, device_id = suspect.tenant_id, suspect.device_id
        is_new = await self._is_new(device_id)
        wire = ids.encode(ids.DEVICE, device_id)
        try:
            async with self._context.db.system_tx("tunnel clone suspected") as tx:
                await queries.note_clone(
                    tx, tenant_id, device_id, self._context.clock.now(), takeovers, addresses
                )
                if is_new:
                    new: dict[str, object] = {"takeovers": takeovers, "addresses": list(addresses)}
                    platform = system_principal(tenant_id)
                    await audit.record(tx, platform, "device.clone_suspected", "device", wire, new=new)
                    await announce(
                        tx,
                        DeviceCloneSuspected(tenant_id=tenant_id, device_id=device_id, takeovers=takeovers),
                    )
        except DATABASE_AWAY as error:
            log.warning("tunnel.clone_not_noted", device=wire, error=str(error))
        if is_new:
            log.warning("tunnel.clone_suspected", device=wire, takeovers=takeovers, addresses=list(addresses))

    async def _is_new(self, device_id: DeviceId) -> bool:
        now = asyncio.get_running_loop().time()
        try:
            await self._context.bus.set(f"damped:{device_id}", b"1", ttl=self._limits.damping_seconds)
            is_new = await self._context.bus.set_if_absent(f"clone:{device_id}", b"1", ttl=SAID_SECONDS)
        except BusAway:
            is_new = self._said.get(device_id, 0.0) <= now
        if is_new:
            self._said = {one: until for one, until in self._said.items() if until > now}
            self._said[device_id] = now + SAID_SECONDS
        return is_new


async def suspect_clone(
    tx: Transaction, principal: Principal, device_id: DeviceId, now: datetime
) -> datetime | None:
    """For the device's document: since when its key seems to be in two boxes."""
    row = await queries.select_clone(tx, principal.tenant_id, device_id, now - STANDS)
    return None if row is None else row["first_at"]


async def find_clone(
    tx: Transaction, principal: Principal, device: Device, now: datetime
) -> Sequence[Finding]:
    """For `explain`: nothing, or that the device's key seems to be in two boxes."""
    row = await queries.select_clone(tx, principal.tenant_id, device.device_id, now - STANDS)
    if row is None:
        return []
    seen = ", ".join(row["addresses"]) or "unknown addresses"
    return [
        Finding(
            topic="connection",
            state=State.PROBLEM,
            title="Two boxes use this device's key",
            detail=f"Connections from {seen} replaced each other {row['takeovers']} times within a minute; the "
            "newcomer is held off for a while each time. Give each box its own provisioning code, then rotate this "
            "device's key.",
            code="clone_suspected",
            since=row["first_at"],
        )
    ]
