"""How long each table of telemetry keeps its rows."""

from datetime import timedelta

from edgeflow_cloud.infra.retention import Retention
from edgeflow_cloud.telemetry import queries
from edgeflow_cloud.telemetry.model import HISTORY_DAYS, HOURS_DAYS, KEEP, MINUTES_DAYS
from edgeflow_cloud.telemetry.partitions import (
    CUSTOM,
    CUSTOM_1M,
    EVENTS,
    LOGS,
    SYSTEM_1M,
    drop_old,
    drop_old_partitions,
)
from edgeflow_cloud.telemetry.reports.queries import DELETE_OLD_EXECUTIONS
from edgeflow_cloud.telemetry.rollups import queries as rollups

_MINUTES, _HOURS, _DAYS = (timedelta(days=days) for days in (MINUTES_DAYS, HOURS_DAYS, HISTORY_DAYS))

RETENTION = [
    Retention(table="system_samples", keep=KEEP, statement=drop_old_partitions),
    Retention(table=CUSTOM, keep=KEEP, statement=drop_old(CUSTOM)),
    Retention(table=EVENTS, keep=KEEP, statement=drop_old(EVENTS)),
    Retention(table=LOGS, keep=KEEP, statement=drop_old(LOGS)),
    Retention(table=SYSTEM_1M, keep=_MINUTES, statement=drop_old(SYSTEM_1M)),
    Retention(table=CUSTOM_1M, keep=_MINUTES, statement=drop_old(CUSTOM_1M)),
    Retention(table="system_1h", keep=_HOURS, statement=rollups.DELETE_OLD_SYSTEM_1H),
    Retention(table="custom_1h", keep=_HOURS, statement=rollups.DELETE_OLD_CUSTOM_1H),
    Retention(table="system_1d", keep=_DAYS, statement=rollups.DELETE_OLD_SYSTEM_1D),
    Retention(table="custom_1d", keep=_DAYS, statement=rollups.DELETE_OLD_CUSTOM_1D),
    Retention(table="executions", keep=KEEP, statement=DELETE_OLD_EXECUTIONS),
    # A name that nothing has used for long makes room for others.
    Retention(table="custom_metrics", keep=timedelta(days=60), statement=queries.DELETE_OLD_CUSTOM_METRICS),
    # A cursor may go once nothing of its run can come any more: an agent's spool is days, not months.
    Retention(table="telemetry_cursors", keep=timedelta(days=120), statement=queries.DELETE_OLD_CURSORS),
]
