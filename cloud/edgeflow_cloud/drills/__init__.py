"""What drills stand on: a cloud of its own, a fleet under load, and a verdict from ledgers no server can talk out of.

Owns: nothing in the cloud. Promises: exit code 0 only when the question was answered with yes, 1 when a promise was
broken, 2 when the drill did not get to its question; all that it started has ended. Each mutant of a drill breaks
something on purpose and must turn it red: that is how we know that the drill can see. Does not do: measure speed.
"""

from edgeflow_cloud.drills import queries
from edgeflow_cloud.drills.checks import check_commands, check_samples, read_stored, until_ended
from edgeflow_cloud.drills.frame import CannotRun, Drill, Order, Outcome, Report, Verdict
from edgeflow_cloud.drills.ground import Ground, open_ground
from edgeflow_cloud.drills.ledger import Key, Ledger, Witness, microseconds
from edgeflow_cloud.drills.load import Answers, People
from edgeflow_cloud.drills.node import Node
from edgeflow_cloud.drills.peer import Peer
from edgeflow_cloud.drills.run import run_drill, run_drills
from edgeflow_cloud.drills.stack import EMAIL, PASSWORD, Layout, Stack, open_stack

__all__ = [
    "EMAIL",
    "PASSWORD",
    "Answers",
    "CannotRun",
    "Drill",
    "Ground",
    "Key",
    "Layout",
    "Ledger",
    "Node",
    "Order",
    "Outcome",
    "Peer",
    "People",
    "Report",
    "Stack",
    "Verdict",
    "Witness",
    "check_commands",
    "check_samples",
    "microseconds",
    "open_ground",
    "open_stack",
    "queries",
    "read_stored",
    "run_drill",
    "run_drills",
    "until_ended",
]
