"""What telemetry gives to the whole."""

from edgeflow_cloud.infra.subsystem import Subsystem
from edgeflow_cloud.telemetry.archive import ARCHIVED
from edgeflow_cloud.telemetry.device import DEVICE_SIDE
from edgeflow_cloud.telemetry.fields import FIELDS
from edgeflow_cloud.telemetry.jobs import FORGET_DEVICE, MAKE_PARTITIONS, REACTIONS, ROLL_UP, SCHEDULES, SWEEP
from edgeflow_cloud.telemetry.keeping import RETENTION
from edgeflow_cloud.telemetry.prometheus.routes import router as prometheus_router
from edgeflow_cloud.telemetry.reports.routes import router as reports_router
from edgeflow_cloud.telemetry.routes import router

SUBSYSTEM = Subsystem(
    name="telemetry",
    routers=[router, reports_router, prometheus_router],
    device=DEVICE_SIDE,
    query_fields=FIELDS,
    jobs=[MAKE_PARTITIONS, ROLL_UP, SWEEP, FORGET_DEVICE],
    schedules=SCHEDULES,
    reactions=REACTIONS,
    retention=RETENTION,
    archived=ARCHIVED,
)
