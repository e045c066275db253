"""Measurements: read every few seconds, kept on disk until the cloud has them, sent in order."""

from .collector import Collector
from .readings import CpuMeter, Readings, system_info, system_metrics, system_report, system_stats
from .sender import Sender
from .spool import Batch, Spool

__all__ = [
    "Batch",
    "Collector",
    "CpuMeter",
    "Readings",
    "Sender",
    "Spool",
    "system_info",
    "system_metrics",
    "system_report",
    "system_stats",
]
