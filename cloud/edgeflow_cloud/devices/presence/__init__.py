"""Who is connected, to which hub, since when: written in batches by hubs, fenced by the connection's epoch.

A hub's batch spans organizations, so these functions take a `system_tx`.
"""

from edgeflow_cloud.devices.presence.service import (
    connect_many,
    disconnect_many,
    disconnect_silent,
    touch_many,
)

__all__ = ["connect_many", "disconnect_many", "disconnect_silent", "touch_many"]
