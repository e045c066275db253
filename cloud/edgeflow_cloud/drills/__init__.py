"""Drills: a cloud of its own, a fleet under load, a fault, and a verdict from ledgers that no server can talk out of.

Owns: nothing in the cloud. Promises: exit code 0 only when the question was answered with yes, 1 when a promise was
broken, 2 when the drill did not get to its question; all that it started has ended. Each mutant of a drill breaks
something on purpose and must turn it red: that is how we know that the drill can see. Does not do: measure speed.
"""

from edgeflow_cloud.drills import ack, herd, pg_immediate, rolling, split_brain, valkey_wipe
from edgeflow_cloud.drills.frame import CannotRun, Drill, Order, Outcome, Report, Verdict
from edgeflow_cloud.drills.ground import open_ground
from edgeflow_cloud.drills.run import run_drill, run_drills
from edgeflow_cloud.drills.tenants import MODULES as _TENANTS

_MODULES = (ack, split_brain, herd, valkey_wipe, pg_immediate, rolling, *_TENANTS)
DRILLS: dict[str, Drill] = {module.DRILL.name: module.DRILL for module in _MODULES}
"""All drills by name."""

__all__ = [
    "DRILLS",
    "CannotRun",
    "Drill",
    "Order",
    "Outcome",
    "Report",
    "Verdict",
    "open_ground",
    "run_drill",
    "run_drills",
]
