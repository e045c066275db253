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
from edgeflow_cloud.shadows.history.model import (
    REPORTS_KEPT,
    SNAPSHOT_EVERY,
    Changed,
    Update,
    Written,
    difference,
)
from edgeflow_cloud.shadows.history.versions import find_desired
from edgeflow_cloud.shadows.model import (
    GPIO,
    Desired,
    GpioNotSupported,
    Shadow,
    Side,
    VersionConflict,
    update,
)
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

    Raises NotFound, VersionConflict, GpioNotSupported, ShadowTooLarge or Invalid. The caller pushes it once `tx` is
    committed.
    """
    before = await lock_shadow(tx, principal, device_id, now)
    await _require_known(tx, principal, device_id, change)
    after = update(before, Side.DESIRED, change, now, expected)
    await _write(tx, principal, Update(before=before, after=after, changed=Changed.DESIRED, patch=change))
    await audit.record(
        tx,
        principal,
        "shadow.update",
        "device",
        ids.encode(ids.DEVICE, device_id),
        old={"version": before.version},
        new={"version": after.version, "desired": _audited(change)},
    )
    return after


async def delete_shadow(
    tx: Transaction,
    principal: Principal,
    device_id: DeviceId,
    *,
    now: datetime,
    expected: int | None = None,
) -> Shadow:
    """Empty both halves, `shadow.delete`; the version goes on, so that nobody takes an old one for a new one.

    One that is empty stays as it is. Raises NotFound or VersionConflict. The caller pushes it.
    """
    before = await lock_shadow(tx, principal, device_id, now)
    if expected is not None and expected != before.version:
        raise VersionConflict(expected, before.version)
    if not before.desired and not before.reported:
        return before
    after = Shadow(device_id=device_id, version=before.version + 1, updated_at=now)
    await _write(tx, principal, Update(before=before, after=after, changed=Changed.DELETED, patch={}))
    await audit.record(
        tx,
        principal,
        "shadow.delete",
        "device",
        ids.encode(ids.DEVICE, device_id),
        old={"version": before.version, "desired": _audited(before.desired)},
        new={"version": after.version},
    )
    return after


async def restore_desired(
    tx: Transaction,
    principal: Principal,
    device_id: DeviceId,
    version: int,
    *,
    now: datetime,
    expected: int | None = None,
) -> Shadow:
    """Want again what was wanted at `version`, `shadow.restore`; it makes a new version, what is reported stays.

    Raises NotFound (`device_not_found`, `shadow_version_not_kept`), VersionConflict or GpioNotSupported. The
    caller pushes it.
    """
    before = await lock_shadow(tx, principal, device_id, now)
    wanted = await find_desired(tx, principal.tenant_id, before, version)
    change = difference(before.desired, wanted)
    await _require_known(tx, principal, device_id, change)
    after = update(before, Side.DESIRED, change, now, expected)
    await _write(tx, principal, Update(before=before, after=after, changed=Changed.DESIRED, patch=change))
    await audit.record(
        tx,
        principal,
        "shadow.restore",
        "device",
        ids.encode(ids.DEVICE, device_id),
        old={"version": before.version},
        new={"version": after.version, "restored": version, "desired": _audited(change)},
    )
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
    before = await lock_shadow(tx, principal, device_id, now)
    made = reported(before, change, now, expected)
    await _write(tx, principal, made)
    return made.after


def reported(
    before: Shadow, change: Mapping[str, object], now: datetime, expected: int | None = None
) -> Update:
    """What the device's report makes of its shadow. Raises VersionConflict, ShadowTooLarge or Invalid."""
    cleaned = cast("dict[str, object]", strip_nul(change))
    after = update(before, Side.REPORTED, cleaned, now, expected)
    return Update(before=before, after=after, changed=Changed.REPORTED, patch=cleaned)


async def lock_shadow(tx: Transaction, principal: Principal, device_id: DeviceId, now: datetime) -> Shadow:
    """The shadow, which nobody else changes until the transaction ends. Raises NotFound (`device_not_found`)."""
    place = ([principal.tenant_id], [device_id])
    rows = await queries.lock_shadows(tx, *place)
    if not rows:
        await devices.find_device(tx, principal, device_id)
        await queries.insert_shadows(tx, *place, now)
        rows = await queries.lock_shadows(tx, *place)
    if not rows:  # deleted between the two
        raise devices.no_such_device()
    return _shadow(rows[0])


async def lock_shadows(
    tx: Transaction, asked: Sequence[tuple[TenantId, DeviceId]], now: datetime
) -> dict[DeviceId, Shadow]:
    """The same for many devices of any organizations, each of which exists. Takes a `system_tx`."""
    tenant_ids, device_ids = [tenant for tenant, _ in asked], [device for _, device in asked]
    rows = await queries.lock_shadows(tx, tenant_ids, device_ids)
    if len(rows) < len(device_ids):
        found = {row["device_id"] for row in rows}
        missing = [(tenant, device) for tenant, device in asked if device not in found]
        await queries.insert_shadows(
            tx, [tenant for tenant, _ in missing], [device for _, device in missing], now
        )
        rows = await queries.lock_shadows(tx, tenant_ids, device_ids)
    return {row["device_id"]: _shadow(row) for row in rows}


async def write_many(tx: Transaction, written: Sequence[Written]) -> None:
    """Write updates of locked shadows, with their history and their events, in as many statements as for one."""
    await queries.write_updates(tx, written)
    old = [one for one in written if one.update.after.version % SNAPSHOT_EVERY == 0]
    if old:
        await queries.delete_reports(
            tx,
            [one.tenant_id for one in old],
            [one.device_id for one in old],
            [one.update.after.version - REPORTS_KEPT for one in old],
        )
    await announce(
        tx,
        *(
            ShadowUpdated(
                tenant_id=one.tenant_id,
                device_id=one.device_id,
                shadow_version=one.update.after.version,
                side=one.update.changed.value,
                in_step=not one.update.after.delta,
            )
            for one in written
        ),
    )


async def _write(tx: Transaction, principal: Principal, made: Update) -> None:
    await write_many(tx, [written_by(principal, made)])


def written_by(principal: Principal, made: Update) -> Written:
    """The update, with who made it."""
    return Written(
        tenant_id=principal.tenant_id, by_kind=principal.kind.value, by_id=principal.wire_id, update=made
    )


async def _require_known(
    tx: Transaction, principal: Principal, device_id: DeviceId, change: Mapping[str, object]
) -> None:
    """Raises GpioNotSupported when pins are wanted of a client of the field. One that never connected may be either."""
    if change.get(GPIO) is None:
        return
    device = await devices.find_device(tx, principal, device_id)
    if device.is_field_client:
        raise GpioNotSupported


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
