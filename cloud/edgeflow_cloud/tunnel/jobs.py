"""What the tunnel does in the background: end tunnels whose key died, and find hubs that died.

Hubs look for each other too (`pulse`); this finds the last one.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from edgeflow_cloud.devices import Filter, Status, list_devices, presence
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.jobs import Job, Schedule
from edgeflow_cloud.infra.outbox import Announced, Reaction
from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.paging import MAXIMUM_LIMIT, Page, decode_cursor
from edgeflow_cloud.kernel.principal import system_principal
from edgeflow_cloud.tunnel import queries
from edgeflow_cloud.tunnel.model import Limits
from edgeflow_cloud.tunnel.presence import TOUCH_SECONDS
from edgeflow_cloud.tunnel.pulse import end_lost_hubs
from edgeflow_cloud.tunnel.routing import check_key

log = structlog.get_logger("edgeflow.tunnel")

_LIMITS = Limits()
STEP_SECONDS = 10.0
SILENCE = timedelta(seconds=_LIMITS.heartbeat_seconds * _LIMITS.heartbeats_missed + 2 * TOUCH_SECONDS)
"""A hub notes each device within a heartbeat and a batch; what is silent for longer has no hub any more."""


class ClockSteps:
    """Whether the clock was set lately. After a step forward every device looks silent until its hub has noted it
    again, by the new time; nobody is given up for that.
    """

    def __init__(self) -> None:
        self._last: tuple[datetime, float] | None = None
        self._calm_from = 0.0

    def lately(self, now: datetime, running: float) -> bool:
        """`now` is the clock's time, `running` what a clock that nobody sets has counted, in seconds."""
        if self._last is not None:
            apart = (now - self._last[0]).total_seconds() - (running - self._last[1])
            if abs(apart) > STEP_SECONDS:
                log.warning("tunnel.clock_stepped", seconds=round(apart))
                self._calm_from = running + SILENCE.total_seconds()
        self._last = (now, running)
        return running < self._calm_from


STEPS = ClockSteps()


async def check_device_key(context: Context, payload: dict[str, object]) -> None:
    """The device's key was rotated or revoked, or the device removed: its hub looks whether the tunnel may stay."""
    announced = Announced.from_payload(payload)
    async with context.db.system_tx("tunnel hubs") as tx:
        hubs = await queries.select_hubs(tx)
        if announced.name == "device.key_rotated":  # whoever is in the other box stays out from now on
            await queries.delete_clone(tx, announced.tenant_id, _device_of(announced))
    await check_key(context.bus, _device_of(announced), hubs)


async def check_devices_of_organization(context: Context, payload: dict[str, object]) -> None:
    """The organization was closed: the hubs of its connected devices look whether each tunnel may stay."""
    principal = system_principal(Announced.from_payload(payload).tenant_id)
    async with context.db.system_tx("tunnel hubs") as tx:
        hubs = await queries.select_hubs(tx)
    page = Page(limit=MAXIMUM_LIMIT)
    while True:
        async with context.db.tenant_tx(principal) as tx:
            found = await list_devices(tx, principal, Filter(Status.ONLINE), page)
        for device in found.items:
            await check_key(context.bus, device.device_id, hubs)
        if found.next_cursor is None:
            return
        page = Page(limit=MAXIMUM_LIMIT, after=decode_cursor(found.next_cursor, length=2))


async def disconnect_lost(context: Context, _payload: dict[str, object]) -> None:
    """Give up the devices of hubs that were killed, and whom no hub has seen for three heartbeats."""
    await end_lost_hubs(context)
    now = context.clock.now()
    if STEPS.lately(now, time.monotonic()):
        return
    before = now - SILENCE
    while True:
        async with context.db.system_tx("tunnel silent devices") as tx:
            if not await presence.disconnect_silent(tx, before):
                return


def _device_of(announced: Announced) -> DeviceId:
    return DeviceId(UUID(str(announced.payload["device_id"])))


CHECK_DEVICE_KEY = Job(name="tunnel.check_device_key", handler=check_device_key)
CHECK_ORGANIZATION = Job(name="tunnel.check_organization", handler=check_devices_of_organization)
DISCONNECT_LOST = Job(name="tunnel.disconnect_lost", handler=disconnect_lost, attempts=1)

REACTIONS = (
    Reaction(event="device.key_rotated", job=CHECK_DEVICE_KEY),
    Reaction(event="device.key_revoked", job=CHECK_DEVICE_KEY),
    Reaction(event="device.deleted", job=CHECK_DEVICE_KEY),
    Reaction(event="organization.suspended", job=CHECK_ORGANIZATION),
    Reaction(event="organization.deleted", job=CHECK_ORGANIZATION),
)
SCHEDULES = (Schedule(name="tunnel.disconnect_lost", job=DISCONNECT_LOST, every=timedelta(seconds=5)),)
RETENTION = (
    Retention(table="hubs", keep=timedelta(days=7), statement=queries.DELETE_OLD_HUBS),
    Retention(table="clone_suspicions", keep=timedelta(days=30), statement=queries.DELETE_OLD_SUSPICIONS),
)
