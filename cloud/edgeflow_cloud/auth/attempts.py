"""Guessing is slow: by address, by address and account, and by account from places where it was never used.

A limit on an account alone would be a weapon: anybody could lock its owner out. So the account's limit does
not count for addresses from which it has been entered before; there only the other two hold.
"""

import asyncio
import hashlib
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from typing import Final

from edgeflow_cloud.infra.bus import BusAway
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.limits import Limit
from edgeflow_cloud.kernel.ids import UserId

FAILURE_TIME: Final = 0.25
"""Seconds that every refused log-in takes: more than its work, whatever that was, so that time says
nothing.
"""

_ADDRESS: Final = Limit("login-address", 120, 60)
_PAIR: Final = Limit("login-pair", 30, 300)
_ACCOUNT: Final = Limit("login-account", 100, 3600)
_REGISTER: Final = Limit("register-address", 60, 3600)
_PASSWORD: Final = Limit("password-check", 20, 300)
_DEADLINE: Final = 0.25  # seconds that Valkey may take
_FAMILIAR: Final = 90 * 86_400.0  # seconds for which a place stays familiar


async def spend_login(context: Context, email: str, address: str | None) -> None:
    """Count one log-in. Raises TooMany with a sentence that says when to come back."""
    place, account = _place(address), _account(email)
    said = "Too many log-ins from this address. Wait a little, then try again."
    (await context.limits.take(_ADDRESS, place)).check(said)
    said = "Too many log-ins to this account from here. Wait a few minutes, then try again."
    (await context.limits.take(_PAIR, f"{place}:{account}")).check(said)
    if not await _is_familiar(context, place, account):
        said = (
            "Too many log-ins to this account from places where it was never used. Wait, or log in from a "
            "place where you have been logged in before."
        )
        (await context.limits.take(_ACCOUNT, account)).check(said)


async def spend_registration(context: Context, address: str | None) -> None:
    """Count one registration. Raises TooMany."""
    said = "Too many accounts were made from this address within an hour. Try again later."
    (await context.limits.take(_REGISTER, _place(address))).check(said)


async def spend_password_check(context: Context, user_id: UserId) -> None:
    """Count one question for the present password of somebody who is logged in. Raises TooMany."""
    said = "Too many attempts at the current password. Wait a few minutes, then try again."
    (await context.limits.take(_PASSWORD, user_id.hex)).check(said)


async def remember_place(context: Context, email: str, address: str | None) -> None:
    """This account was entered from here."""
    # A place that is forgotten only loses a privilege.
    with suppress(BusAway, TimeoutError):
        async with asyncio.timeout(_DEADLINE):
            await context.bus.set(_familiar(_place(address), _account(email)), b"1", ttl=_FAMILIAR)


async def even_out(started: float) -> None:
    """Wait until FAILURE_TIME after `started` (the loop's time)."""
    await asyncio.sleep(started + FAILURE_TIME - asyncio.get_running_loop().time())


async def _is_familiar(context: Context, place: str, account: str) -> bool:
    try:
        async with asyncio.timeout(_DEADLINE):
            return await context.bus.get(_familiar(place, account)) is not None
    except (BusAway, TimeoutError):
        return True  # without Valkey nobody knows, and a closed door is worse than the other limits alone


def _familiar(place: str, account: str) -> str:
    return f"familiar:{account}:{place}"


def _account(email: str) -> str:
    """Counts an address without keeping it."""
    return hashlib.sha256(email.strip().lower().encode("utf-8", "replace")).hexdigest()[:24]


def _place(address: str | None) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: a household owns 2^64 of those."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
    return str(parsed)
