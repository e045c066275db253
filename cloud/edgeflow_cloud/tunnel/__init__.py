"""Live connections of devices: who is let in, what is heard, what is sent, on whichever hub.

Owns: `hubs`, `clone_suspicions`; leases and marks in Valkey (`route:`, `mark:`, `damped:`, `clone:`), the
presence that `devices` keeps.
Promises: one live tunnel a device, the newest, with an epoch from PostgreSQL; a device's frames are handled
in order and refused once it has a successor; offline within half a second of a close, or after three missed
heartbeats. Does not do: keep anything. What may not be lost is a row of the subsystem that a frame belongs
to.

A subsystem that speaks to devices puts a `DeviceSide` into `Subsystem.device`; from any process it reaches a
device by `signal_device` (run my handler at the device's hub) and `send_to_device`; commands take
`session.lane`. What a device said is written in `session.transaction()`, which a stale connection cannot commit.
"""

from edgeflow_cloud.infra.address import trusting
from edgeflow_cloud.infra.sockets import listen, websocket_protocol
from edgeflow_cloud.tunnel.hub import Hub
from edgeflow_cloud.tunnel.lane import Lane, Turn
from edgeflow_cloud.tunnel.model import DeviceAway, Limits, NoAnswer, Superseded
from edgeflow_cloud.tunnel.routing import send_to_device, signal_device
from edgeflow_cloud.tunnel.session import Session
from edgeflow_cloud.tunnel.side import DeviceSide

__all__ = [
    "DeviceAway",
    "DeviceSide",
    "Hub",
    "Lane",
    "Limits",
    "NoAnswer",
    "Session",
    "Superseded",
    "Turn",
    "listen",
    "send_to_device",
    "signal_device",
    "trusting",
    "websocket_protocol",
]
