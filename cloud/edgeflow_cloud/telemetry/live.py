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

_PREFIX = "streams:"
METRICS, LOGS, EVENTS, EXECUTIONS = "metrics", "logs", "events", "executions"
STREAMS = {METRICS: "sample", LOGS: "log", EVENTS: "event", EXECUTIONS: "execution"}
"""What can be watched of a device, and what the live socket calls one of it."""
_LOOK_EVERY = 1.0  # seconds between questions who listens
_NEWEST = 10  # samples of one batch that are shown: what a device had kept for long is history, not live
_NEWEST_TOLD = 200  # likewise of events and lines


def stream_channel(stream: str, tenant_id: TenantId, device_id: DeviceId) -> str:
    """The bus channel of one stream of one device, each message `{"device_id": "dev_…", …}` as JSON."""
    return f"{_PREFIX}{stream}:{tenant_id}:{device_id}"


def stream_of(channel: str) -> str | None:
    """Which of STREAMS a channel carries; None for any other channel."""
    prefix, _, rest = channel.partition(":")
    return rest.partition(":")[0] if f"{prefix}:" == _PREFIX else None


def sample_channel(tenant_id: TenantId, device_id: DeviceId) -> str:
    """The bus channel of one device's live samples, each `{"device_id": "dev_…", "time": …, …}` as JSON."""
    return stream_channel(METRICS, tenant_id, device_id)


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
            if not self._wanted:
                return
            for batch in batches:
                name = b'{"device_id":"' + ids.encode(ids.DEVICE, batch.device_id).encode() + b'",'
                told = batch.shown[-_NEWEST_TOLD:]
                for stream in STREAMS:
                    channel = stream_channel(stream, batch.tenant_id, batch.device_id)
                    if channel not in self._wanted:
                        continue
                    values = [one for kind, one in told if kind == stream]
                    for value in batch.samples[-_NEWEST:] if stream == METRICS else values:
                        await context.bus.publish(channel, name + msgspec.json.encode(value)[1:])
        except BusAway:
            self._wanted = set()
