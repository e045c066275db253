"""Use cases over many devices at once, a verb each. All of it happens, or nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import asyncpg

from edgeflow_cloud import audit, organizations, quotas
from edgeflow_cloud.devices.batch import queries
from edgeflow_cloud.devices.events import DeviceCreated, DeviceUpdated
from edgeflow_cloud.devices.model import SHOWN_OF_KEY, Device, Place, hash_key, make_key
from edgeflow_cloud.devices.service import to_device
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId, ProjectId
from edgeflow_cloud.kernel.principal import Principal


@dataclass(frozen=True, slots=True)
class Entry:
    """What people write of one device."""

    name: str
    notes: str = ""
    tags: tuple[str, ...] = ()
    project_id: ProjectId | None = None
    place: Place = field(default_factory=Place)


async def lock_devices(
    tx: Transaction, principal: Principal, device_ids: Sequence[DeviceId], names: Sequence[str], *, limit: int
) -> list[Device]:
    """The organization's devices with these ids or exactly these names, at most `limit`; nobody else changes them
    until the transaction ends.
    """
    rows = await queries.lock_named(tx, principal.tenant_id, device_ids, names, limit)
    return [to_device(row) for row in rows]


async def create_devices(
    tx: Transaction, principal: Principal, entries: Sequence[Entry]
) -> list[tuple[DeviceId, str]]:
    """Enter them; each comes back with its key, which is shown this once. Raises QuotaExceeded, NotFound
    (`project_not_found`).
    """
    if not entries:
        return []
    await quotas.reserve(tx, principal, quotas.Resource.DEVICES, count=len(entries))
    made = [DeviceId(ids.new()) for _ in entries]
    keys = [make_key() for _ in entries]
    try:
        await queries.insert_devices(
            tx, principal.tenant_id, [_row(*item) for item in zip(made, entries, strict=True)]
        )
    except asyncpg.ForeignKeyViolationError:
        raise organizations.no_such_project() from None
    await queries.insert_keys(
        tx,
        principal.tenant_id,
        made,
        [ids.new() for _ in made],
        [hash_key(key) for key in keys],
        [key[:SHOWN_OF_KEY] for key in keys],
    )
    for device_id, entry in zip(made, entries, strict=True):
        await audit.record(tx, principal, "device.create", "device", _wire(device_id), new=_written(entry))
    await announce(tx, *(DeviceCreated(tenant_id=principal.tenant_id, device_id=item) for item in made))
    return list(zip(made, keys, strict=True))


async def update_devices(
    tx: Transaction, principal: Principal, changes: Sequence[tuple[DeviceId, Entry, Entry]]
) -> None:
    """Change them, each as (device, before, after); after `lock_devices`. Raises NotFound (`project_not_found`)."""
    if not changes:
        return
    try:
        await queries.update_devices(
            tx, principal.tenant_id, [_row(device_id, after) for device_id, _, after in changes]
        )
    except asyncpg.ForeignKeyViolationError:
        raise organizations.no_such_project() from None
    for device_id, before, after in changes:
        await audit.record(
            tx,
            principal,
            "device.update",
            "device",
            _wire(device_id),
            old=_written(before),
            new=_written(after),
        )
    await announce(tx, *(DeviceUpdated(tenant_id=principal.tenant_id, device_id=item[0]) for item in changes))


def _row(device_id: DeviceId, entry: Entry) -> dict[str, object]:
    return {
        "id": str(device_id),
        "name": entry.name,
        "notes": entry.notes,
        "tags": list(entry.tags),
        "project_id": None if entry.project_id is None else str(entry.project_id),
        "place_name": entry.place.name,
        "latitude": entry.place.latitude,
        "longitude": entry.place.longitude,
    }


def _written(entry: Entry) -> dict[str, object]:
    project = None if entry.project_id is None else ids.encode(ids.PROJECT, entry.project_id)
    written: dict[str, object] = {
        "name": entry.name,
        "notes": entry.notes,
        "tags": list(entry.tags),
        "project_id": project,
    }
    return written if entry.place == Place() else {**written, "place": asdict(entry.place)}


def _wire(device_id: DeviceId) -> str:
    return ids.encode(ids.DEVICE, device_id)
