"""What a client may negotiate in `connect`. A client that names nothing gets the base protocol only."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum


class Capability(StrEnum):
    """Extensions of the wire that are built."""

    TELEMETRY = "telemetry"
    SHADOW = "shadow"
    EVENTS = "events"
    LOGS = "logs"


BASE_COMMANDS_IN_FLIGHT = 1
"""The field client writes answers without a lock: two at once can kill it."""

NEGOTIATED_COMMANDS_IN_FLIGHT = 8
HEARTBEAT_INTERVAL_SECONDS = 30.0
HEARTBEATS_MISSED_UNTIL_OFFLINE = 3
AUTHENTICATION_SECONDS = 10.0


def negotiate(offered: Iterable[str], ours: Collection[str] = tuple(Capability)) -> list[str]:
    """Those of `offered` that we also have, once each, in the order of the offer."""
    return list(dict.fromkeys(name for name in offered if name in ours))
