"""What the devices' query language can ask of the newest measurements."""

from edgeflow_cloud.telemetry.fields.queries import FIELDS

__all__ = ["FIELDS"]
