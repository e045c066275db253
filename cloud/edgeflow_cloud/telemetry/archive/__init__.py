"""What telemetry puts into an organization's archive: all that is kept of measurements, executions, events and logs."""

from edgeflow_cloud.infra.archive import Archived
from edgeflow_cloud.telemetry.archive import queries

ARCHIVED = (
    Archived(file="measurements", tables=("system_samples",), statement=queries.SAMPLES),
    Archived(file="measurements_custom", tables=("custom_samples",), statement=queries.CUSTOM_SAMPLES),
    Archived(file="measurements_1m", tables=("system_1m",), statement=queries.SYSTEM_1M),
    Archived(file="measurements_1h", tables=("system_1h",), statement=queries.SYSTEM_1H),
    Archived(file="measurements_1d", tables=("system_1d",), statement=queries.SYSTEM_1D),
    Archived(file="measurements_custom_1m", tables=("custom_1m",), statement=queries.CUSTOM_1M),
    Archived(file="measurements_custom_1h", tables=("custom_1h",), statement=queries.CUSTOM_1H),
    Archived(file="measurements_custom_1d", tables=("custom_1d",), statement=queries.CUSTOM_1D),
    Archived(file="executions", tables=("executions",), statement=queries.EXECUTIONS),
    Archived(file="events", tables=("device_events",), statement=queries.EVENTS),
    Archived(file="logs", tables=("device_logs",), statement=queries.LINES),
)
