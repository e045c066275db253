"""What telemetry gives to the whole."""

from datetime import timedelta

from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.infra.subsystem import Subsystem
from edgeflow_cloud.telemetry import queries
from edgeflow_cloud.telemetry.device import DEVICE_SIDE
from edgeflow_cloud.telemetry.jobs import FORGET_DEVICE, MAKE_PARTITIONS, REACTIONS, SCHEDULES
from edgeflow_cloud.telemetry.model import KEEP
from edgeflow_cloud.telemetry.partitions import drop_old_partitions
from edgeflow_cloud.telemetry.routes import router

SUBSYSTEM = Subsystem(
    name="telemetry",
    routers=[router],
    device=DEVICE_SIDE,
    jobs=[MAKE_PARTITIONS, FORGET_DEVICE],
    schedules=SCHEDULES,
    reactions=REACTIONS,
    retention=[
        Retention(table="system_samples", keep=KEEP, statement=drop_old_partitions),
        # A cursor may go once nothing of its run can come any more: an agent's spool is days, not months.
        Retention(table="telemetry_cursors", keep=timedelta(days=120), statement=queries.DELETE_OLD_CURSORS),
    ],
)
