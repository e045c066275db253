"""Telemetry: what devices measure of themselves, stored once, shown as charts and live.

Owns: `system_samples` and `custom_samples` (partitioned, without row-level security: see their migrations) and
their views, `custom_metrics`, `device_latest_metrics` (a few seconds late), `telemetry_cursors`; in `reports` what
devices tell of their work. Promises: an acknowledged batch is committed, and stored once however
often it is sent; a batch that cannot be stored is refused alone. Does not do: judge values (alerts) or keep
them for ever (30 days).
"""

from edgeflow_cloud.telemetry.live import STREAMS, sample_channel, stream_channel, stream_of
from edgeflow_cloud.telemetry.model import KEEP, METRICS, Window, choose_window
from edgeflow_cloud.telemetry.rollups.model import Resolution, choose_step, name_of
from edgeflow_cloud.telemetry.service import kept_of, read_together

__all__ = [
    "KEEP",
    "METRICS",
    "STREAMS",
    "Resolution",
    "Window",
    "choose_step",
    "choose_window",
    "kept_of",
    "name_of",
    "read_together",
    "sample_channel",
    "stream_channel",
    "stream_of",
]
