"""Since when a device's key seems to be in two boxes: known above the registry, shown with the device."""

from datetime import datetime

from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.subsystem import Suspect
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal

SUSPECTS: list[Suspect] = []
"""Who is asked. `app` fills it once with what the subsystems offer."""


async def find_suspicion(
    tx: Transaction, principal: Principal, device_id: DeviceId, now: datetime
) -> datetime | None:
    """Since when anybody suspects it, None when nobody does."""
    found = [await suspect(tx, principal, device_id, now) for suspect in SUSPECTS]
    return min((time for time in found if time is not None), default=None)
