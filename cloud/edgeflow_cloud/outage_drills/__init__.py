"""Drills of what dies or is away: processes, PostgreSQL, Valkey, a hub that stands still, a restart of everything.

Owns: nothing. Promises: what `drills` promises. Does not do: devices and people that behave badly.
"""

from edgeflow_cloud.outage_drills import (
    ack,
    herd,
    pg_hang,
    pg_immediate,
    rolling,
    split_brain,
    valkey_down,
    valkey_wipe,
)

MODULES = (ack, split_brain, herd, valkey_wipe, valkey_down, pg_immediate, pg_hang, rolling)
"""One drill each, in `DRILL`."""

__all__ = ["MODULES"]
