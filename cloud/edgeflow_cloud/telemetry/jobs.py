"""Background work: partitions made ahead, the samples of deleted devices."""

from datetime import timedelta
from uuid import UUID

from edgeflow_cloud.devices.events import DeviceDeleted
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.jobs import Job, Schedule
from edgeflow_cloud.infra.outbox import Announced, Reaction
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.telemetry import queries
from edgeflow_cloud.telemetry.partitions import make_partitions_ahead
from edgeflow_cloud.telemetry.reports import queries as reports


async def _make_partitions(context: Context, payload: dict[str, object]) -> None:
    await make_partitions_ahead(context.db, context.clock.now())


async def _forget_device(context: Context, payload: dict[str, object]) -> None:
    announced = Announced.from_payload(payload)
    device_id = DeviceId(UUID(str(announced.payload["device_id"])))
    async with context.db.system_tx("samples of a deleted device") as tx:
        now = context.clock.now()
        await queries.delete_samples(tx, announced.tenant_id, device_id, now)
        await queries.delete_custom(tx, announced.tenant_id, device_id, now)
        await reports.delete_events(tx, announced.tenant_id, device_id, now)
        await reports.delete_lines(tx, announced.tenant_id, device_id, now)


MAKE_PARTITIONS = Job(name="telemetry.make_partitions", handler=_make_partitions)
FORGET_DEVICE = Job(name="telemetry.forget_device", handler=_forget_device)

SCHEDULES = (Schedule(name="telemetry.partitions", job=MAKE_PARTITIONS, every=timedelta(hours=6)),)
REACTIONS = (Reaction(event=DeviceDeleted.name, job=FORGET_DEVICE),)
