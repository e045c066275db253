"""Samples for who looks right now: published only where somebody listens, and never waited for."""

import asyncio
import time
from collections.abc import Sequence

import msgspec

from edgeflow_cloud.infra.bus import BusAway
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.telemetry.model import Batch

_PREFIX = "samples:"
_LOOK_EVERY = 1.0  # seconds between questions who listens
_NEWEST = 10  # samples of one batch that are shown: what a device had kept for long is history, not live


def sample_channel(tenant_id: TenantId, device_id: DeviceId) -> str:
    """The bus channel of one device's live samples, each `{"device_id": "dev_…", "time": …, …}` as JSON."""
    return f"{_PREFIX}{tenant_id}:{device_id}"


class LiveSamples:
    """Knows, at most a second late, whose samples are looked at."""

    def __init__(self) -> None:
        self._wanted: set[str] = set()
        self._looked_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def publish(self, context: Context, batches: Sequence[Batch]) -> None:
        """Send what is wanted, in the background; while the last such task still runs, this one's are left
        out.
        """
        if self._task is not None and not self._task.done():
            return
        due = time.monotonic() - self._looked_at >= _LOOK_EVERY
        if due or self._wanted:
            self._task = asyncio.create_task(
                self._publish(context, list(batches), due), name="telemetry-live"
            )

    async def _publish(self, context: Context, batches: list[Batch], due: bool) -> None:
        try:
            if due:
                self._looked_at = time.monotonic()
                self._wanted = await context.bus.channels(_PREFIX)
            for batch in batches:
                channel = sample_channel(batch.tenant_id, batch.device_id)
                if channel not in self._wanted:
                    continue
                name = b'{"device_id":"' + ids.encode(ids.DEVICE, batch.device_id).encode() + b'",'
                for sample in batch.samples[-_NEWEST:]:
                    await context.bus.publish(channel, name + msgspec.json.encode(sample)[1:])
        except BusAway:
            self._wanted = set()
