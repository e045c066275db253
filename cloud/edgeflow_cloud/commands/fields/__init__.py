"""What the devices' query language can ask of commands."""

from edgeflow_cloud.commands.fields.queries import FIELDS

__all__ = ["FIELDS"]
