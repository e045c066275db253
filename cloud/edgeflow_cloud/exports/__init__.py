"""Exports: an organization's archive, all that is kept of it in one zip of JSON lines.

Owns: `organization_exports`. Promises: an archive holds every row of the organization but secrets and bookkeeping, its
devices' measurements, executions, events and log lines included; it is written in bounded memory, shows how far it is,
and can be fetched for seven days. Does not do: bring an archive back in.
"""

from edgeflow_cloud.exports.files import FILES

__all__ = ["FILES"]
