"""Guards the number of custom metrics: a name is stored only when the organization has room for it."""

import asyncio
import time
from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.telemetry import queries
from edgeflow_cloud.telemetry.model import MAX_CUSTOM_METRICS, Batch
from edgeflow_cloud.telemetry.reports.model import event_row
from edgeflow_protocol.reports import DeviceEvent

_FRESH = 3_600.0  # seconds for which a name that is in, or was refused, is not asked for again
_TENANTS = 10_000  # whose names this process remembers
_SHOWN = 5
_K = TypeVar("_K")
_V = TypeVar("_V")


class CustomNames:
    """What this process knows of organizations' names. One a process."""

    def __init__(self) -> None:
        self._known: dict[TenantId, dict[str, tuple[bool, float]]] = {}
        self._told: dict[DeviceId, float] = {}
        self._lock = asyncio.Lock()

    async def admit(self, context: Context, batch: Batch, now: datetime) -> str:
        """Take the values out of the batch whose names have no room, and say so ("" when all have).

        A device is given an event of it, at most once an hour. Raises Unavailable.
        """
        names = {str(row[2]) for row in batch.custom}
        if not names:
            return ""
        refused = await self._refused(context, batch.tenant_id, names)
        if not refused:
            return ""
        batch.custom[:] = [row for row in batch.custom if row[2] not in refused]
        shown = ", ".join(sorted(refused)[:_SHOWN]) + (" and others" if len(refused) > _SHOWN else "")
        said = (
            f"The organization's devices use {MAX_CUSTOM_METRICS} custom metrics, and no more are taken: {shown} "
            "were not stored. The other values of the batch were. Use fewer names; one that is not used for 60 days "
            "makes room."
        )
        moment = time.monotonic()
        if moment - self._told.get(batch.device_id, -_FRESH) >= _FRESH:
            _forget_oldest(self._told)
            self._told[batch.device_id] = moment
            event = DeviceEvent(
                now, "custom_metrics_limit", "warning", said, data={"refused": sorted(refused)}
            )
            batch.events.append(event_row(batch.tenant_id, batch.device_id, event, now, now, source="cloud"))
        return said

    def untell(self, batch: Batch) -> None:
        """The batch was not stored, and an event in it neither: the next one with refused names has one again."""
        if batch.events:
            self._told.pop(batch.device_id, None)

    async def _refused(self, context: Context, tenant_id: TenantId, names: Iterable[str]) -> set[str]:
        moment = time.monotonic()
        known = self._known.get(tenant_id)
        if known is None:
            _forget_oldest(self._known)
            known = self._known[tenant_id] = {}
        stale = [name for name in names if name not in known or moment - known[name][1] > _FRESH]
        if stale:
            async with self._lock:  # one question at a time: a fleet that comes in asks the same
                stale = [name for name in stale if name not in known or moment - known[name][1] > _FRESH]
                if stale:
                    async with context.db.ingest_tx() as tx:
                        found = await queries.add_custom_metrics(tx, tenant_id, stale, MAX_CUSTOM_METRICS)
                    if len(known) > MAX_CUSTOM_METRICS * 4:  # names that were made up
                        known.clear()
                    known |= {name: (name in found, moment) for name in stale}
        return {name for name in names if not known.get(name, (False, 0.0))[0]}


def _forget_oldest(kept: dict[_K, _V]) -> None:
    if len(kept) >= _TENANTS:
        del kept[next(iter(kept))]
