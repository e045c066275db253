"""Use cases of keys, a verb each."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from edgeflow_cloud import audit, devices
from edgeflow_cloud.device_keys.events import DeviceKeyRevoked
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import NotFound
from edgeflow_cloud.kernel.ids import DeviceId, DeviceKeyId
from edgeflow_cloud.kernel.principal import Principal


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new key, shown this once, and until when those before it are good, at the longest."""

    api_key: str
    old_key_valid_until: datetime


async def rotate(
    tx: Transaction, principal: Principal, device_id: DeviceId, overlap: timedelta, now: datetime
) -> Rotation:
    """Give the device a new key. A key that was to end sooner still does. Raises NotFound (`device_not_found`)."""
    api_key = await devices.rotate_key(tx, principal, device_id, overlap=overlap)
    return Rotation(api_key, now + overlap)


async def list_keys(
    tx: Transaction, principal: Principal, device_id: DeviceId, now: datetime
) -> list[devices.keys.Key]:
    """The device's good keys, the newest first. Raises NotFound (`device_not_found`)."""
    await devices.find_device(tx, principal, device_id)
    return await devices.keys.list_good_keys(tx, principal, device_id, now)


async def revoke_key(
    tx: Transaction, principal: Principal, device_id: DeviceId, key_id: DeviceKeyId, now: datetime
) -> None:
    """End one key now, also the last one: then the device stays out until it is given a new one.

    Raises NotFound (`device_not_found`, `device_key_not_found`).
    """
    await devices.find_device(tx, principal, device_id)
    prefix = await devices.keys.end_key(tx, principal, device_id, key_id, now)
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
