"""Drills of people and organizations: a copied token, a clock that tells, a superuser, one connection for all.

Owns: nothing. Promises: what `drills` promises. Does not do: load, or anything that is killed.
"""

from edgeflow_cloud.tenant_drills import audit_tamper, tenant_hop, timing, token_race

MODULES = (token_race, timing, audit_tamper, tenant_hop)
"""One drill each, in `DRILL`."""

__all__ = ["MODULES"]
