"""What an operator sees of the tunnel: who is in, who was sent away and why, who is held back."""

from __future__ import annotations

from collections import Counter as Count

import structlog
from prometheus_client import Counter, Gauge

from edgeflow_cloud.infra.observability import REGISTRY

log = structlog.get_logger("edgeflow.tunnel")

CONNECTED = Gauge("edgeflow_tunnel_devices", "Devices that are in on this hub.", registry=REGISTRY)
REFUSED = Counter(
    "edgeflow_tunnel_refusals",
    "Connections that were ended by the cloud, by the code that the device was told.",
    ["code"],
    registry=REGISTRY,
)
HELD_BACK = Counter(
    "edgeflow_tunnel_held_back",
    "Times that a socket was not read for a while because its organization was over its share.",
    registry=REGISTRY,
)
_told: Count[str] = Count()


def note_refusal(code: str) -> None:
    """The cloud ended a connection."""
    REFUSED.labels(code).inc()
    _told[code] += 1


def note_held_back() -> None:
    """A socket is not read for a while."""
    HELD_BACK.inc()
    _told["held_back"] += 1


def say_refusals() -> None:
    """One line in the log with all that happened since the last one, if anything did."""
    if _told:
        counts = dict(_told)
        _told.clear()
        log.warning("tunnel.refusals", **counts)
