"""What the device tells beside its measurements: events and log lines, kept on disk until the cloud has them."""

from .events import describe_execution, device_event
from .spool import ReportBatch, ReportSpool
from .tap import LogTap

__all__ = ["LogTap", "ReportBatch", "ReportSpool", "describe_execution", "device_event"]
