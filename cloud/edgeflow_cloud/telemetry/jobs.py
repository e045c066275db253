"""Background work: partitions made ahead, rollups, what plans do not keep, the samples of deleted devices."""

from datetime import timedelta
from typing import cast
from uuid import UUID

from edgeflow_cloud.devices.events import DeviceDeleted
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.jobs import Job, Schedule
from edgeflow_cloud.infra.outbox import Announced, Reaction
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.telemetry import queries
from edgeflow_cloud.telemetry.partitions import make_partitions_ahead
from edgeflow_cloud.telemetry.reports import queries as reports
from edgeflow_cloud.telemetry.rollups import queries as rollups
from edgeflow_cloud.telemetry.rollups.model import DAY, HOUR, MINUTE
from edgeflow_cloud.telemetry.rollups.rolling import roll_up
from edgeflow_cloud.telemetry.sweeping.sweep import sweep


async def _make_partitions(context: Context, payload: dict[str, object]) -> None:
    await make_partitions_ahead(context.db, context.clock.now())


async def _roll_up(context: Context, payload: dict[str, object]) -> None:
    await roll_up(context.db, cast(int, payload["step"]), context.clock.now())


async def _sweep(context: Context, payload: dict[str, object]) -> None:
    await sweep(context.db, context.clock.now())


async def _forget_device(context: Context, payload: dict[str, object]) -> None:
    announced = Announced.from_payload(payload)
    device_id = DeviceId(UUID(str(announced.payload["device_id"])))
    async with context.db.system_tx("samples of a deleted device") as tx:
        now = context.clock.now()
        await queries.delete_samples(tx, announced.tenant_id, device_id, now)
        await queries.delete_custom(tx, announced.tenant_id, device_id, now)
        await reports.delete_events(tx, announced.tenant_id, device_id, now)
        await reports.delete_lines(tx, announced.tenant_id, device_id, now)
        await rollups.delete_rollups(tx, announced.tenant_id, device_id)


MAKE_PARTITIONS = Job(name="telemetry.make_partitions", handler=_make_partitions)
FORGET_DEVICE = Job(name="telemetry.forget_device", handler=_forget_device)
ROLL_UP = Job(name="telemetry.roll_up", handler=_roll_up)
SWEEP = Job(name="telemetry.sweep", handler=_sweep)

SCHEDULES = (
    Schedule(name="telemetry.partitions", job=MAKE_PARTITIONS, every=timedelta(hours=6)),
    Schedule(name="telemetry.sweep", job=SWEEP, every=timedelta(hours=1)),
    Schedule(name="telemetry.minutes", job=ROLL_UP, every=timedelta(minutes=1), payload={"step": MINUTE}),
    Schedule(name="telemetry.hours", job=ROLL_UP, every=timedelta(minutes=10), payload={"step": HOUR}),
    Schedule(name="telemetry.days", job=ROLL_UP, every=timedelta(hours=1), payload={"step": DAY}),
)
REACTIONS = (Reaction(event=DeviceDeleted.name, job=FORGET_DEVICE),)
