"""Whether a device's key seems to be in two boxes: known above the registry, shown with the device."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import cast

from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal

Suspect = Callable[[Transaction, Principal, DeviceId, datetime], Awaitable[datetime | None]]
"""`since(tx, principal, device_id, now)`: since when it is suspected, None when it is not."""


class Suspicions:
    """Who is asked. `app` fills it once with what the subsystems offer."""

    def __init__(self) -> None:
        self._suspects: list[Suspect] = []

    def learn(self, suspects: Iterable[object]) -> None:
        """Take those of a subsystem. Raises TypeError for what cannot be called."""
        for suspect in suspects:
            if not callable(suspect):
                raise TypeError(f"{suspect!r} is not a Suspect")
            self._suspects.append(cast("Suspect", suspect))

    async def since(
        self, tx: Transaction, principal: Principal, device_id: DeviceId, now: datetime
    ) -> datetime | None:
        """Since when anybody suspects it, None when nobody does."""
        found = [await suspect(tx, principal, device_id, now) for suspect in self._suspects]
        return min((time for time in found if time is not None), default=None)


SUSPICIONS = Suspicions()
