"""From one organization to another: a device is released under its code, and claimed by whoever holds the code.

Released means gone: the key is dead, the tunnel closed, and shadow, commands and measurements are deleted with the
device; the audit log keeps what was done. What waits for the next organization is the box alone: what it says of its
hardware. The hardware may go on showing its code, so that nobody has to open the box.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from edgeflow_cloud import devices
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId, ProjectId, ProvisioningCodeId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.provisioning import queries
from edgeflow_cloud.provisioning.events import DeviceClaimed, DeviceUnclaimed
from edgeflow_cloud.provisioning.model import (
    RECLAIM_WINDOW,
    RELEASE_LIFE,
    ClaimRefused,
    hardware_key,
    hash_code,
    hint_of,
    make_code,
)


@dataclass(frozen=True, slots=True)
class Release:
    """How the device may be claimed until `until`: by the code that it came with (`code` is None; `hint` are its last
    characters), or by a fresh one that is shown this once.
    """

    hint: str
    code: str | None
    until: datetime


async def unclaim(
    tx: Transaction, principal: Principal, device_id: DeviceId, *, now: datetime, pepper: bytes
) -> Release:
    """Let a device go. Raises NotFound (`device_not_found`)."""
    device = await devices.find_device(tx, principal, device_id)
    fresh, until = make_code(), now + RELEASE_LIFE
    known_by = hardware_key(device.hardware, device.network)
    row = await queries.release_device(
        tx, device_id, hash_code(fresh, pepper), hint_of(fresh), known_by, now, until
    )
    if row is None:
        raise devices.no_such_device()
    await devices.delete_device(tx, principal, device_id, action="device.unclaim")
    await announce(tx, DeviceUnclaimed(tenant_id=principal.tenant_id, device_id=device_id))
    return Release(row["hint"], fresh if row["fresh"] else None, until)


async def claim_released(
    tx: Transaction,
    principal: Principal,
    hashes: Sequence[bytes],
    *,
    name: str | None,
    tags: Sequence[str],
    project_id: ProjectId | None,
    now: datetime,
) -> tuple[devices.Device, str]:
    """Take a released device into the caller's organization: the device, under a new id, and its key, shown this once.

    `hashes` are those of the one code under each accepted pepper. Raises ClaimRefused, QuotaExceeded, NotFound
    (`project_not_found`). The hardware that was known by the code may show it again and gets a key by itself.
    """
    for hashed in hashes:
        row = await queries.take_released(tx, hashed, now)
        if row is not None:
            break
    else:
        raise ClaimRefused
    device, api_key = await devices.create_device(
        tx,
        principal,
        name=name or f"Device {row['hint']}",
        tags=tags,
        hardware=row["hardware"],
        project_id=project_id,
        action="device.claim",
    )
    code_id = ProvisioningCodeId(ids.new())
    await queries.insert_used(
        tx,
        principal.tenant_id,
        code_id,
        hashed,
        row["hint"],
        RECLAIM_WINDOW,
        principal.wire_id,
        now,
        device.device_id,
        row["hardware_key"],
    )
    await announce(
        tx, DeviceClaimed(tenant_id=principal.tenant_id, code_id=code_id, device_id=device.device_id)
    )
    return device, api_key
