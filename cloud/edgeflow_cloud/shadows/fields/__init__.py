"""What the devices' query language can ask of shadows."""

from edgeflow_cloud.shadows.fields.queries import FIELDS

__all__ = ["FIELDS"]
