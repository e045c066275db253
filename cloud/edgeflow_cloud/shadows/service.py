"""Use cases of shadows, a verb each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

import msgspec

from edgeflow_cloud import audit, devices
from edgeflow_cloud.infra.bus import Bus, BusAway
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.shadows import queries
from edgeflow_cloud.shadows.events import ShadowUpdated
from edgeflow_cloud.shadows.model import Desired, Shadow, Side, update
from edgeflow_cloud.tunnel import signal_device
from edgeflow_protocol.limits import strip_nul

DESIRED = "shadows.desired"
"""The signal to a device's hub: this is desired now."""

AUDITED_BYTES = 16 * 1024
"""A larger change is audited by the keys that it names at the top, not by its values."""


async def find_shadow(tx: Transaction, principal: Principal, device_id: DeviceId) -> Shadow:
    """The device's shadow, empty before the first update. Raises NotFound (`device_not_found`)."""
    row = await queries.select_shadow(tx, principal.tenant_id, device_id)
    if row is not None:
        return _shadow(row)
    device = await devices.find_device(tx, principal, device_id)
    return Shadow(device_id=device_id, updated_at=device.created_at)


async def list_unmet(tx: Transaction, devices_asked: Sequence[tuple[TenantId, DeviceId]]) -> set[DeviceId]:
    """Those of the devices that may have a delta; no other has one. Takes a `system_tx`."""
    tenant_ids, device_ids = zip(*devices_asked, strict=True)
    return set(await queries.select_unmet(tx, tenant_ids, device_ids))


async def update_desired(
    tx: Transaction,
    principal: Principal,
    device_id: DeviceId,
    change: Mapping[str, object],
    *,
    now: datetime,
    expected: int | None = None,
) -> Shadow:
    """Merge what people want. `expected` is the version that the change is based on, None for any.

    Raises NotFound, VersionConflict, ShadowTooLarge or Invalid. The caller pushes it once `tx` is committed.
    """
    before = await _lock(tx, principal, device_id, now)
    after = update(before, Side.DESIRED, change, now, expected)
    await queries.update_desired(tx, principal.tenant_id, after)
    await audit.record(
        tx,
        principal,
        "shadow.update",
        "device",
        ids.encode(ids.DEVICE, device_id),
        old={"version": before.version},
        new={"version": after.version, "desired": _audited(change)},
    )
    await _announce(tx, principal, after, Side.DESIRED)
    return after


async def update_reported(
    tx: Transaction,
    principal: Principal,
    device_id: DeviceId,
    change: Mapping[str, object],
    *,
    now: datetime,
    expected: int | None = None,
) -> Shadow:
    """Merge what the device says of itself. What devices report is data, as samples are: it is not audited.

    NULs are stripped. Raises NotFound, VersionConflict, ShadowTooLarge or Invalid.
    """
    before = await _lock(tx, principal, device_id, now)
    cleaned = cast("dict[str, object]", strip_nul(change))
    after = update(before, Side.REPORTED, cleaned, now, expected)
    await queries.update_reported(tx, principal.tenant_id, after)
    await _announce(tx, principal, after, Side.REPORTED)
    return after


async def _lock(tx: Transaction, principal: Principal, device_id: DeviceId, now: datetime) -> Shadow:
    row = await queries.lock_shadow(tx, principal.tenant_id, device_id)
    if row is None:
        await devices.find_device(tx, principal, device_id)
        await queries.insert_shadow(tx, principal.tenant_id, device_id, now)
        row = await queries.lock_shadow(tx, principal.tenant_id, device_id)
    if row is None:  # deleted between the two
        raise devices.no_such_device()
    return _shadow(row)


async def _announce(tx: Transaction, principal: Principal, shadow: Shadow, side: Side) -> None:
    await announce(
        tx,
        ShadowUpdated(
            tenant_id=principal.tenant_id,
            device_id=shadow.device_id,
            shadow_version=shadow.version,
            side=side.value,
            in_step=not shadow.delta,
        ),
    )


def _audited(change: Mapping[str, object]) -> object:
    if len(msgspec.json.encode(change)) <= AUDITED_BYTES:
        return dict(change)
    return {"keys": sorted(change)[:100]}


def _shadow(row: Row) -> Shadow:
    return Shadow(**dict(row))


async def push(bus: Bus, shadow: Shadow) -> bool:
    """Tell the device what is desired now, wherever it is connected. Call it after the commit.

    A lost push is made up for: the device is told again when it connects, and reads its shadow every five
    minutes.
    """
    desired = Desired(shadow.version, shadow.desired, shadow.delta)
    try:
        return await signal_device(bus, shadow.device_id, DESIRED, desired.encode())
    except BusAway:
        return False
