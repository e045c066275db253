"""Use cases of keys, a verb each."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from edgeflow_cloud import audit
from edgeflow_cloud.devices import service as registry
from edgeflow_cloud.devices.keys import queries
from edgeflow_cloud.devices.keys.events import DeviceKeyRevoked
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import NotFound
from edgeflow_cloud.kernel.ids import DeviceId, DeviceKeyId
from edgeflow_cloud.kernel.principal import Principal


@dataclass(frozen=True, slots=True)
class Key:
    """A key that is good, as people see it: never the key itself, only how it begins. No end: until it is rotated."""

    key_id: DeviceKeyId
    prefix: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new key, shown this once, and until when those before it are good, at the longest."""

    api_key: str
    old_key_valid_until: datetime


async def rotate(
    tx: Transaction, principal: Principal, device_id: DeviceId, overlap: timedelta, now: datetime
) -> Rotation:
    """Give the device a new key. A key that was to end sooner still does. Raises NotFound (`device_not_found`)."""
    api_key = await registry.rotate_key(tx, principal, device_id, overlap=overlap)
    return Rotation(api_key, now + overlap)


async def list_keys(tx: Transaction, principal: Principal, device_id: DeviceId, now: datetime) -> list[Key]:
    """The device's good keys, the newest first. Raises NotFound (`device_not_found`)."""
    await registry.find_device(tx, principal, device_id)
    rows = await queries.select_good_keys(tx, principal.tenant_id, device_id, now)
    return [Key(row["id"], row["prefix"], row["created_at"], row["expires_at"]) for row in rows]


async def revoke_key(
    tx: Transaction, principal: Principal, device_id: DeviceId, key_id: DeviceKeyId, now: datetime
) -> None:
    """End one key now, also the last one: then the device stays out until it is given a new one.

    Raises NotFound (`device_not_found`, `device_key_not_found`).
    """
    await registry.find_device(tx, principal, device_id)
    prefix = await queries.end_key(tx, principal.tenant_id, device_id, key_id, now)
    if prefix is None:
        raise NotFound(
            "This device has no such key that is still good. List its keys to see which are.",
            code="device_key_not_found",
        )
    await audit.record(
        tx,
        principal,
        "device.key_revoke",
        "device",
        ids.encode(ids.DEVICE, device_id),
        old={"key_id": ids.encode(ids.DEVICE_KEY, key_id), "prefix": prefix},
    )
    await announce(tx, DeviceKeyRevoked(tenant_id=principal.tenant_id, device_id=device_id))


async def list_ending_keys(
    tx: Transaction, since: datetime, within: timedelta
) -> list[tuple[DeviceId, bytes, float]]:
    """(device, `hash_key(key)`, seconds that it is still good) of keys that ended after `since` or end `within` that
    time, whoever owns them. Takes a `system_tx`.
    """
    rows = await queries.select_ending_keys(tx, since, within.total_seconds())
    return [(row["device_id"], row["hash"], row["seconds"]) for row in rows]
