"""Telemetry: what devices measure of themselves, stored once, shown as charts and live.

Owns: `system_samples` (partitioned, without row-level security: see its migration), the view
`device_samples`, `telemetry_cursors`. Promises: an acknowledged batch is committed, and stored once however
often it is sent; a batch that cannot be stored is refused alone. Does not do: judge values (alerts) or keep
them for ever (30 days).
"""

from edgeflow_cloud.telemetry.live import sample_channel
from edgeflow_cloud.telemetry.model import KEEP, METRICS

__all__ = ["KEEP", "METRICS", "sample_channel"]
