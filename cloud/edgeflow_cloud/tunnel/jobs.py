"""What the tunnel does in the background: end tunnels whose key died, and find devices of hubs that died."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from edgeflow_cloud.devices import presence
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.jobs import Job, Schedule
from edgeflow_cloud.infra.outbox import Announced, Reaction
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.tunnel.model import Limits
from edgeflow_cloud.tunnel.presence import TOUCH_SECONDS
from edgeflow_cloud.tunnel.routing import check_key

_LIMITS = Limits()
SILENCE = timedelta(seconds=_LIMITS.heartbeat_seconds * _LIMITS.heartbeats_missed + 2 * TOUCH_SECONDS)
"""A hub notes each device within a heartbeat and a batch; what is silent for longer has no hub any more."""


async def check_device_key(context: Context, payload: dict[str, object]) -> None:
    """The device's key was rotated, or the device removed: its hub looks whether the tunnel may stay."""
    announced = Announced.from_payload(payload)
    await check_key(context.bus, _device_of(announced))


async def disconnect_silent(context: Context, _payload: dict[str, object]) -> None:
    """Mark offline whom no hub has seen for three heartbeats: their hub was killed."""
    before = context.clock.now() - SILENCE
    while True:
        async with context.db.system_tx("tunnel silent devices") as tx:
            if not await presence.disconnect_silent(tx, before):
                return


def _device_of(announced: Announced) -> DeviceId:

    return DeviceId(UUID(str(announced.payload["device_id"])))


CHECK_DEVICE_KEY = Job(name="tunnel.check_device_key", handler=check_device_key)
DISCONNECT_SILENT = Job(name="tunnel.disconnect_silent", handler=disconnect_silent, attempts=1)

REACTIONS = (
    Reaction(event="device.key_rotated", job=CHECK_DEVICE_KEY),
    Reaction(event="device.deleted", job=CHECK_DEVICE_KEY),
)
SCHEDULES = (Schedule(name="tunnel.disconnect_silent", job=DISCONNECT_SILENT, every=timedelta(seconds=15)),)
