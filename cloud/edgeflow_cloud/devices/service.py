"""Use cases of the registry, a verb each."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Literal

import asyncpg

from edgeflow_cloud import audit, organizations, quotas
from edgeflow_cloud.devices import queries
from edgeflow_cloud.devices.events import DeviceCreated, DeviceDeleted, DeviceKeyRotated, DeviceUpdated
from edgeflow_cloud.devices.matching import queries as matching
from edgeflow_cloud.devices.matching.service import select
from edgeflow_cloud.devices.model import (
    SHOWN_OF_KEY,
    Device,
    Filter,
    Place,
    Sort,
    Status,
    hash_key,
    make_key,
    no_such_device,
)
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.http import require_version
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Invalid
from edgeflow_cloud.kernel.ids import DeviceId, MalformedId, ProjectId, TenantId
from edgeflow_cloud.kernel.paging import Page, Slice, encode_cursor
from edgeflow_cloud.kernel.principal import Principal


async def create_device(
    tx: Transaction,
    principal: Principal,
    *,
    name: str,
    notes: str = "",
    tags: Sequence[str] = (),
    hardware: dict[str, object] | None = None,
    network: dict[str, object] | None = None,
    project_id: ProjectId | None = None,
    place: Place | None = None,
    action: str = "device.create",
) -> tuple[Device, str]:
    """Enter a device; the answer holds its key, which is shown this once. `action` is how the audit log calls it.

    Raises QuotaExceeded, NotFound (`project_not_found`).
    """
    await quotas.reserve(tx, principal, quotas.Resource.DEVICES)
    device_id = DeviceId(ids.new())
    try:
        await queries.insert_device(
            tx,
            principal.tenant_id,
            device_id,
            name,
            notes,
            _tidy(tags),
            hardware or {},
            network or {},
            project_id,
            place or Place(),
        )
    except asyncpg.ForeignKeyViolationError:
        raise organizations.no_such_project() from None
    await queries.insert_presence(tx, principal.tenant_id, device_id)
    key = await _insert_key(tx, principal.tenant_id, device_id)
    await audit.record(
        tx, principal, action, "device", _wire(device_id), new={"name": name, "tags": list(tags)}
    )
    await announce(tx, DeviceCreated(tenant_id=principal.tenant_id, device_id=device_id))
    return await find_device(tx, principal, device_id), key


async def find_device(tx: Transaction, principal: Principal, device_id: DeviceId) -> Device:
    """The device. Raises NotFound (`device_not_found`), also for another organization's."""
    row = await queries.select_device(tx, principal.tenant_id, device_id)
    if row is None:
        raise no_such_device()
    return to_device(row)


async def list_devices(
    tx: Transaction,
    principal: Principal,
    wanted: Filter,
    page: Page,
    sort: Sort = Sort(),  # noqa: B008
    *,
    total: bool = True,
) -> Slice[Device]:
    """One page in the order of `sort`. The whole count comes with the first page only, and when asked for.

    A page's cursor is (sort, key of the last row, its id). Raises QueryInvalid, NotFound (`group_not_found`), Invalid
    (`bad_cursor`).
    """
    named = f"-{sort.by}" if sort.descending else sort.by
    after_key, after_id = _position(page.after, named) if page.after else (None, None)
    found = await select(tx, principal, wanted)
    counted = await matching.count_matching(tx, found) if total and not page.after else None
    offset = 0 if page.after else page.offset
    try:
        rows = await matching.select_matching(
            tx, found, sort.by, sort.descending, after_key, after_id, offset, page.limit + 1
        )
    except asyncpg.DataError:
        if not page.after:
            raise
        raise _bad_cursor() from None
    shown = rows[: page.limit]
    more = len(rows) > page.limit
    cursor = encode_cursor(named, shown[-1]["sort_key"], _wire(shown[-1]["device_id"])) if more else None
    return Slice([to_device(row) for row in shown], cursor, counted)


def _position(after: tuple[str, ...], named: str) -> tuple[str, DeviceId]:
    if after[0] != named:
        raise _bad_cursor()
    try:
        return after[1], DeviceId(ids.decode(ids.DEVICE, after[2]))
    except MalformedId:
        raise _bad_cursor() from None


def _bad_cursor() -> Invalid:
    return Invalid(
        "This cursor is not one of ours, or of another order; start again without it.", code="bad_cursor"
    )


async def update_device(
    tx: Transaction,
    principal: Principal,
    device_id: DeviceId,
    *,
    name: str | None,
    notes: str | None,
    tags: Sequence[str] | None,
    project_id: ProjectId | Literal["stay"] | None,
    place: Place | Literal["stay"] | None = "stay",
    version: int | None,
) -> Device:
    """Change what people wrote; None leaves a field, but for `project_id` and `place`, where it empties them.

    Raises Conflict (`version_conflict`) for an old `version`, NotFound (`project_not_found`).
    """
    current = await queries.lock_device(tx, principal.tenant_id, device_id)
    if current is None:
        raise no_such_device()
    require_version(version, current)
    before = await find_device(tx, principal, device_id)
    try:
        await queries.update_device(
            tx,
            principal.tenant_id,
            device_id,
            before.name if name is None else name,
            before.notes if notes is None else notes,
            before.tags if tags is None else _tidy(tags),
            before.project_id if project_id == "stay" else project_id,
            (before.place if place == "stay" else place) or Place(),
        )
    except asyncpg.ForeignKeyViolationError:
        raise organizations.no_such_project() from None
    after = await find_device(tx, principal, device_id)
    await audit.record(
        tx, principal, "device.update", "device", _wire(device_id), old=_written(before), new=_written(after)
    )
    await announce(tx, DeviceUpdated(tenant_id=principal.tenant_id, device_id=device_id))
    return after


async def record_facts(
    tx: Transaction,
    principal: Principal,
    device_id: DeviceId,
    *,
    hardware: dict[str, object],
    network: dict[str, object],
) -> None:
    """Keep what the device says of itself; keys that it does not mention stay."""
    await queries.update_facts(tx, principal.tenant_id, device_id, hardware, network)
    await announce(tx, DeviceUpdated(tenant_id=principal.tenant_id, device_id=device_id))


async def delete_device(
    tx: Transaction, principal: Principal, device_id: DeviceId, *, action: str = "device.delete"
) -> None:
    """Remove the device and all that hangs on it. Its open tunnel is closed by the event. `action` is how the audit log
    calls it.
    """
    before = await find_device(tx, principal, device_id)
    await queries.delete_device(tx, principal.tenant_id, device_id)
    await audit.record(tx, principal, action, "device", _wire(device_id), old=_written(before))
    await announce(tx, DeviceDeleted(tenant_id=principal.tenant_id, device_id=device_id))


async def rotate_key(
    tx: Transaction, principal: Principal, device_id: DeviceId, *, overlap: timedelta = timedelta(0)
) -> str:
    """Give the device a new key; the old ones end after `overlap`. Raises NotFound (`device_not_found`)."""
    if await queries.lock_device(tx, principal.tenant_id, device_id) is None:
        raise no_such_device()
    await queries.expire_keys(tx, principal.tenant_id, device_id, datetime.now(UTC) + overlap)
    key = await _insert_key(tx, principal.tenant_id, device_id)
    await audit.record(tx, principal, "device.key_rotate", "device", _wire(device_id))
    await announce(tx, DeviceKeyRotated(tenant_id=principal.tenant_id, device_id=device_id))
    return key


async def authenticate_many(
    tx: Transaction, claims: Sequence[tuple[DeviceId, bytes]]
) -> dict[DeviceId, TenantId]:
    """Which of the (device, `hash_key(key)`) pairs are right. Takes a `lookup` transaction."""
    rows = await queries.select_keys_found(
        tx, [device for device, _ in claims], [hashed for _, hashed in claims]
    )
    return {row["device_id"]: row["tenant_id"] for row in rows}


async def authenticate_key(tx: Transaction, key: str) -> tuple[TenantId, DeviceId] | None:
    """Whose key it is, or None. Takes a `lookup` transaction."""
    row = await queries.select_key_found(tx, hash_key(key))
    return None if row is None else (row["tenant_id"], row["device_id"])


async def _insert_key(tx: Transaction, tenant_id: TenantId, device_id: DeviceId) -> str:
    key = make_key()
    await queries.insert_key(tx, tenant_id, device_id, ids.new(), hash_key(key), key[:SHOWN_OF_KEY])
    return key


def to_device(row: Row) -> Device:
    """A device from a row of COLUMNS."""
    fields = dict(row)
    fields.pop("sort_key", None)
    name, latitude, longitude = fields.pop("place_name"), fields.pop("latitude"), fields.pop("longitude")
    nowhere = name is None and latitude is None and longitude is None
    fields["place"] = None if nowhere else Place(name, latitude, longitude)
    fields["groups"] = tuple(fields["groups"]) if fields["groups"] else None
    fields["group"] = fields["groups"][0] if fields["groups"] else None
    fields["status"] = Status.ONLINE if fields.pop("online") else Status.OFFLINE
    fields["tags"] = tuple(fields["tags"])
    return Device(**fields)


def _tidy(tags: Sequence[str]) -> list[str]:
    """Each tag once, in the order given."""
    return list(dict.fromkeys(tags))


def _written(device: Device) -> dict[str, object]:
    project = None if device.project_id is None else ids.encode(ids.PROJECT, device.project_id)
    written: dict[str, object] = {
        "name": device.name,
        "notes": device.notes,
        "tags": list(device.tags),
        "project_id": project,
    }
    return written if device.place is None else {**written, "place": asdict(device.place)}


def _wire(device_id: DeviceId) -> str:
    return ids.encode(ids.DEVICE, device_id)
