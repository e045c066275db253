"""Drills of devices that behave badly, on a cloud that is well: loud, deaf, gone, doubled, hostile, out of time.

Owns: nothing. Promises: what `drills` promises. Does not do: processes and parts that die.
"""

from edgeflow_cloud.device_drills import (
    bombs,
    claim_race,
    clock,
    dup_reorder,
    flood_tenant,
    half_open,
    slow_reader,
)

MODULES = (slow_reader, flood_tenant, half_open, dup_reorder, claim_race, bombs, clock)
"""One drill each, in `DRILL`."""

__all__ = ["MODULES"]
