"""What the tunnel gives to the whole."""

from edgeflow_cloud.infra.subsystem import Subsystem
from edgeflow_cloud.tunnel.clones import find_clone, suspect_clone
from edgeflow_cloud.tunnel.jobs import CHECK_DEVICE_KEY, DISCONNECT_LOST, REACTIONS, RETENTION, SCHEDULES

SUBSYSTEM = Subsystem(
    name="tunnel",
    jobs=[CHECK_DEVICE_KEY, DISCONNECT_LOST],
    schedules=SCHEDULES,
    reactions=REACTIONS,
    retention=RETENTION,
    findings=[find_clone],
    suspicions=[suspect_clone],
)
