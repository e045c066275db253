"""One-use tickets: a browser cannot put a bearer token on a WebSocket, and an address must not hold one."""

import secrets

import msgspec

from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.kernel.principal import Principal

LIFETIME = 30
"""Seconds in which a ticket must be used."""


async def issue(bus: Bus, principal: Principal) -> str:
    """Make a ticket for the caller. Raises BusAway."""
    ticket = secrets.token_urlsafe(24)
    await bus.set(f"ticket:{ticket}", msgspec.json.encode(principal), ttl=LIFETIME)
    return ticket


async def redeem(bus: Bus, ticket: str) -> Principal | None:
    """Whose ticket it is; None when it is unknown, late or used. Raises BusAway."""
    kept = await bus.take(f"ticket:{ticket}") if 0 < len(ticket) <= 64 else None
    return None if kept is None else msgspec.json.decode(kept, type=Principal)
