"""What keys have to say of one device: is it in the overlap of a rotation, and can it come in at all?"""

from collections.abc import Sequence
from datetime import datetime

from edgeflow_cloud import devices
from edgeflow_cloud.devices import Device
from edgeflow_cloud.explanations import Finding, State
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.principal import Principal


async def find_overlap(
    tx: Transaction, principal: Principal, device: Device, now: datetime
) -> Sequence[Finding]:
    """Nothing, one finding for an older key that still is good, or one for no key at all."""
    good = await devices.keys.list_good_keys(tx, principal, device.device_id, now)
    if not good:
        return [
            Finding(
                topic="provisioning",
                state=State.PROBLEM,
                title="No key opens it",
                detail="All its keys were revoked or have ended, so that it cannot connect. Rotate its key, and give "
                "the device the new one.",
                code="no_device_key",
            )
        ]
    ending = [key.expires_at for key in good if key.expires_at is not None]
    if not ending:
        return []
    return [
        Finding(
            topic="provisioning",
            state=State.WAITING,
            title="An old key is still good",
            detail=f"Its key was rotated. The one before ends at {max(ending):%Y-%m-%d %H:%M:%S} UTC: give the device "
            "the new one until then.",
            code="device_key_overlap",
            since=max(key.created_at for key in good),
        )
    ]
