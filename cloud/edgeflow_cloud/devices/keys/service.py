"""Which keys are good, and how one ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from edgeflow_cloud.devices.keys import queries
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.ids import DeviceId, DeviceKeyId
from edgeflow_cloud.kernel.principal import Principal


@dataclass(frozen=True, slots=True)
class Key:
    """A key that is good, as people see it: never the key itself, only how it begins. No end: until it is rotated."""

    key_id: DeviceKeyId
    prefix: str
    created_at: datetime
    expires_at: datetime | None


async def list_good_keys(
    tx: Transaction, principal: Principal, device_id: DeviceId, now: datetime
) -> list[Key]:
    """The device's good keys, the newest first; none for one that is not there."""
    rows = await queries.select_good_keys(tx, principal.tenant_id, device_id, now)
    return [Key(row["id"], row["prefix"], row["created_at"], row["expires_at"]) for row in rows]


async def end_key(
    tx: Transaction, principal: Principal, device_id: DeviceId, key_id: DeviceKeyId, now: datetime
) -> str | None:
    """End one key; how it began, or None when it was not good any more. The caller records and announces it."""
    return await queries.end_key(tx, principal.tenant_id, device_id, key_id, now)


async def list_ending_keys(
    tx: Transaction, since: datetime, within: timedelta
) -> list[tuple[DeviceId, bytes, float]]:
    """(device, `hash_key(key)`, seconds that it is still good) of keys that ended after `since` or end `within` that
    time, whoever owns them. Takes a `system_tx`.
    """
    rows = await queries.select_ending_keys(tx, since, within.total_seconds())
    return [(row["device_id"], row["hash"], row["seconds"]) for row in rows]
