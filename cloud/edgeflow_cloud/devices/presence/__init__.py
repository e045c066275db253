"""Who is connected, to which hub, since when: written in batches by hubs, fenced by the connection's epoch.

A hub's batch spans organizations, so these functions take a `system_tx`. The epoch is a fencing token: `guard`
keeps what a stale connection sent from being committed.
"""

from edgeflow_cloud.devices.presence.service import (
    connect_many,
    disconnect_hub,
    disconnect_many,
    disconnect_silent,
    guard,
    list_current,
    list_succeeded,
    touch_many,
)

__all__ = [
    "connect_many",
    "disconnect_hub",
    "disconnect_many",
    "disconnect_silent",
    "guard",
    "list_current",
    "list_succeeded",
    "touch_many",
]
