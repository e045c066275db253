"""The audit log: who did what to which thing, when, from where.

Owns: `audit_entries`. Promises: an entry is written in the transaction of its change, or the change does not happen;
nobody updates or deletes one. Does not do: decide what is worth recording; each service says that itself.
"""

from edgeflow_cloud.audit.service import record

__all__ = ["record"]
