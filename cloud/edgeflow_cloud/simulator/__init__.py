"""A fleet that does not exist: real sockets that speak the real wire, thousands in one process, with faults.

Owns: nothing in the cloud. Promises: every device is provisioned over REST and connects to the tunnel as a real one;
an `agent` keeps its samples until they are acknowledged and runs a command id once, a `field` device is exact in what
the client in the field does wrong. Does not do: look into the database.
"""

from edgeflow_cloud.simulator.agent import AgentDevice
from edgeflow_cloud.simulator.credentials import (
    Credentials,
    ProvisioningFailed,
    load,
    obtain,
    open_api,
    save,
)
from edgeflow_cloud.simulator.fault_proxy import FaultProxy
from edgeflow_cloud.simulator.faults import HEALTHY, Ailments, BadFault, Faults
from edgeflow_cloud.simulator.field import FieldDevice
from edgeflow_cloud.simulator.fleet import BadProfile, Fleet, TooManyDevices, open_fleet
from edgeflow_cloud.simulator.line import DialFailed, Holder, Line
from edgeflow_cloud.simulator.machine import Device
from edgeflow_cloud.simulator.pace import Backoff, Pace
from edgeflow_cloud.simulator.surroundings import Load, Watch
from edgeflow_cloud.simulator.tally import Latencies, Tally

__all__ = [
    "HEALTHY",
    "AgentDevice",
    "Ailments",
    "Backoff",
    "BadFault",
    "BadProfile",
    "Credentials",
    "Device",
    "DialFailed",
    "FaultProxy",
    "Faults",
    "FieldDevice",
    "Fleet",
    "Holder",
    "Latencies",
    "Line",
    "Load",
    "Pace",
    "ProvisioningFailed",
    "Tally",
    "TooManyDevices",
    "Watch",
    "load",
    "obtain",
    "open_api",
    "open_fleet",
    "save",
]
