# ruff: noqa: S608 - every statement is made of constants of this module
"""One device's rows as JSON, the oldest first, for an organization's archive. Rollups have their metrics by name."""

from edgeflow_cloud.telemetry.model import METRICS

_NAMES = ", ".join(f"'{name}'" for name in METRICS)
_METRICS = f"""
json_build_object('device_id', r.device_id, 'time', r.time, 'metrics', (
    select json_object_agg(m.name, json_build_object(
        'count', r.counts[m.place], 'sum', r.sums[m.place], 'min', r.lows[m.place], 'max', r.highs[m.place]
    )) from unnest(array[{_NAMES}]) with ordinality m (name, place) where r.counts[m.place] > 0
))::text as document"""
_CUSTOM = """
json_build_object('device_id', r.device_id, 'time', r.time, 'name', r.name,
    'count', r.counts, 'sum', r.sums, 'min', r.lows, 'max', r.highs)::text as document"""
_ROW = "json_strip_nulls(row_to_json(r))::text as document"
_OF_DEVICE = "r where r.tenant_id = $1 and r.device_id = $2"

SAMPLES = f"select {_ROW} from device_samples {_OF_DEVICE} order by r.time"
CUSTOM_SAMPLES = f"select {_ROW} from device_custom_samples {_OF_DEVICE} order by r.name, r.time"
SYSTEM_1M = f"select {_METRICS} from system_1m {_OF_DEVICE} order by r.time"
SYSTEM_1H = f"select {_METRICS} from system_1h {_OF_DEVICE} order by r.time"
SYSTEM_1D = f"select {_METRICS} from system_1d {_OF_DEVICE} order by r.time"
CUSTOM_1M = f"select {_CUSTOM} from custom_1m {_OF_DEVICE} order by r.name, r.time"
CUSTOM_1H = f"select {_CUSTOM} from custom_1h {_OF_DEVICE} order by r.name, r.time"
CUSTOM_1D = f"select {_CUSTOM} from custom_1d {_OF_DEVICE} order by r.name, r.time"
EXECUTIONS = f"select {_ROW} from executions {_OF_DEVICE} order by r.started_at, r.execution_id"
EVENTS = f"select {_ROW} from own_device_events {_OF_DEVICE} order by r.time, r.id"
LINES = f"select {_ROW} from own_device_logs {_OF_DEVICE} order by r.time, r.id"
