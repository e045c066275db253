"""What telemetry gives to the whole."""

from datetime import timedelta

from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.infra.subsystem import Subsystem
from edgeflow_cloud.telemetry import queries
from edgeflow_cloud.telemetry.device import DEVICE_SIDE
from edgeflow_cloud.telemetry.jobs import FORGET_DEVICE, MAKE_PARTITIONS, REACTIONS, SCHEDULES
from edgeflow_cloud.telemetry.model import KEEP
from edgeflow_cloud.telemetry.partitions import CUSTOM, EVENTS, LOGS, drop_old, drop_old_partitions
from edgeflow_cloud.telemetry.prometheus.routes import router as prometheus_router
from edgeflow_cloud.telemetry.reports.queries import DELETE_OLD_EXECUTIONS
from edgeflow_cloud.telemetry.reports.routes import router as reports_router
from edgeflow_cloud.telemetry.routes import router

SUBSYSTEM = Subsystem(
    name="telemetry",
    routers=[router, reports_router, prometheus_router],
    device=DEVICE_SIDE,
    jobs=[MAKE_PARTITIONS, FORGET_DEVICE],
    schedules=SCHEDULES,
    reactions=REACTIONS,
    retention=[
        Retention(table="system_samples", keep=KEEP, statement=drop_old_partitions),
        Retention(table=CUSTOM, keep=KEEP, statement=drop_old(CUSTOM)),
        Retention(table=EVENTS, keep=KEEP, statement=drop_old(EVENTS)),
        Retention(table=LOGS, keep=KEEP, statement=drop_old(LOGS)),
        Retention(table="executions", keep=KEEP, statement=DELETE_OLD_EXECUTIONS),
        # A name that nothing has used for long makes room for others.
        Retention(
            table="custom_metrics", keep=timedelta(days=60), statement=queries.DELETE_OLD_CUSTOM_METRICS
        ),
        # A cursor may go once nothing of its run can come any more: an agent's spool is days, not months.
        Retention(table="telemetry_cursors", keep=timedelta(days=120), statement=queries.DELETE_OLD_CURSORS),
    ],
)
