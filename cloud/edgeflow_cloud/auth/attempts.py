"""Guessing is slow, and nobody can lock another out.

A limit on an account alone would be a weapon: anybody could use it up for its owner. So it does not count where the
account has been entered before: on a browser that holds our mark for it (`known_browser`), from wherever it comes, and
from an address where it was used. A mark has a limit of its own, so that a stolen one lends few guesses. Who is in a
new place with a new browser while somebody attacks the account gets in by a link in a mail, which makes the place
known.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets as random_secrets
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Final

from edgeflow_cloud.infra.bus import BusAway
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.limits import Limit
from edgeflow_cloud.kernel.ids import UserId

FAILURE_TIME: Final = 0.25
"""Seconds. Every refused log-in takes a whole multiple of this, usually once: more than its work, whatever that
was, so that time says nothing.
"""

_ADDRESS: Final = Limit("login-address", 120, 60)
_PAIR: Final = Limit("login-pair", 30, 300)
_ACCOUNT: Final = Limit("login-account", 100, 3600)
_BROWSER: Final = Limit("login-browser", 20, 300)
_REGISTER: Final = Limit("register-address", 60, 3600)
_PASSWORD: Final = Limit("password-check", 20, 300)
_CODE: Final = Limit("mfa-pair", 10, 300)
_CODE_ACCOUNT: Final = Limit("mfa-account", 20, 3600)
_FORGOT: Final = Limit("forgot-address", 30, 3600)
_RESET: Final = Limit("reset-account", 5, 3600)
_VERIFY: Final = Limit("verify-account", 5, 3600)
_LINK: Final = Limit("link-address", 60, 600)
_STRENGTH: Final = Limit("strength-address", 240, 60)
_EXISTS: Final = Limit("exists-account", 1, 86_400)
_DEADLINE: Final = 0.25  # seconds that Valkey may take
_FAMILIAR: Final = 90 * 86_400.0  # seconds for which a place stays familiar


async def spend_login(context: Context, email: str, address: str | None, mark: str | None) -> None:
    """Count one log-in. `mark` is what the browser holds. Raises TooMany with a sentence that says what to do."""
    place, account = _place(address), _account(email)
    if (
        known_browser(context, email, mark)
        and (await context.limits.take(_BROWSER, _digest(mark or ""))).allowed
    ):
        return  # neither its neighbours' guesses nor the world's count here
    said = "Too many log-ins from this address. Wait a little, then try again."
    (await context.limits.take(_ADDRESS, place)).check(said)
    said = "Too many log-ins to this account from here. Wait a few minutes, then try again."
    (await context.limits.take(_PAIR, f"{place}:{account}")).check(said)
    if not await _is_familiar(context, place, account):
        said = (
            "Too many log-ins to this account from places where it was never used. Log in from a browser or "
            'place where you have been logged in before, or use "Forgot password": its link lets you in here.'
        )
        (await context.limits.take(_ACCOUNT, account)).check(said)


async def spend_code(context: Context, email: str, address: str | None, mark: str | None) -> None:
    """Count one code of the second factor, shown with the right password. Raises TooMany.

    Twenty an hour from strange places: a million codes, three of them good, last for years.
    """
    place, account = _place(address), _account(email)
    said = "Too many codes from here. Wait a few minutes, then try again with a new one."
    (await context.limits.take(_CODE, f"{place}:{account}")).check(said)
    if not known_browser(context, email, mark) and not await _is_familiar(context, place, account):
        said = (
            "Too many codes for this account. Somebody may have your password: log in from a browser or place "
            "where you have been logged in before, and change it."
        )
        (await context.limits.take(_CODE_ACCOUNT, account)).check(said)


async def spend_registration(context: Context, address: str | None) -> None:
    """Count one registration. Raises TooMany."""
    said = "Too many accounts were made from this address within an hour. Try again later."
    (await context.limits.take(_REGISTER, _place(address))).check(said)


async def spend_password_check(context: Context, user_id: UserId) -> None:
    """Count one question for the present password or code of somebody who is logged in. Raises TooMany."""
    said = "Too many attempts at the current password. Wait a few minutes, then try again."
    (await context.limits.take(_PASSWORD, user_id.hex)).check(said)


async def spend_forgotten(context: Context, address: str | None) -> None:
    """Count one "forgot password". By address alone: an account's own limit would say that there is one."""
    said = "Too many links were asked for from this address. Try again in an hour."
    (await context.limits.take(_FORGOT, _place(address))).check(said)


async def spend_verification(context: Context, user_id: UserId) -> None:
    """Count one verification mail that a person asked for. Raises TooMany."""
    said = "Several mails are on their way already. Look into your spam folder, or ask again in an hour."
    (await context.limits.take(_VERIFY, user_id.hex)).check(said)


async def spend_link(context: Context, address: str | None) -> None:
    """Count one use of a link from a mail. Raises TooMany."""
    said = "Too many links were opened from this address. Try again in ten minutes."
    (await context.limits.take(_LINK, _place(address))).check(said)


async def spend_strength(context: Context, address: str | None) -> None:
    """Count one estimate of a password. Raises TooMany."""
    said = "Too many passwords were asked about from this address. Wait a moment."
    (await context.limits.take(_STRENGTH, _place(address))).check(said)


async def may_send_reset(context: Context, user_id: UserId) -> bool:
    """Whether this account may get one more reset mail this hour. Said to nobody; those sent before stay good."""
    return (await context.limits.take(_RESET, user_id.hex)).allowed


async def may_tell_of_account(context: Context, email: str) -> bool:
    """Whether the owner may be told, today, that somebody tried to register with the address."""
    return (await context.limits.take(_EXISTS, _account(email))).allowed


async def remember_place(context: Context, email: str, address: str | None) -> None:
    """This account was entered from here."""
    # A place that is forgotten only loses a privilege.
    with suppress(BusAway, TimeoutError):
        async with asyncio.timeout(_DEADLINE):
            await context.bus.set(_familiar(_place(address), _account(email)), b"1", ttl=_FAMILIAR)


def browser_mark(context: Context, email: str) -> str:
    """What a browser may keep after a log-in: it opens nothing, it only says that this account was entered here."""
    nonce = random_secrets.token_urlsafe(12)
    return f"{nonce}.{_signature(context.secrets.jwt_key.reveal(), email, nonce)}"


def known_browser(context: Context, email: str, mark: str | None) -> bool:
    """Whether `mark` was given to somebody who entered this account."""
    nonce, separator, signature = (mark or "").partition(".")
    if not separator or len(nonce) > 32 or not (mark or "").isascii():
        return False
    return any(
        hmac.compare_digest(signature, _signature(key.text.reveal(), email, nonce))
        for key in context.secrets.jwt_keys.accepted(context.clock.now())
    )


async def even_out(started: float) -> None:
    """Wait until a whole multiple of FAILURE_TIME has passed since `started` (the loop's time)."""
    now = asyncio.get_running_loop().time()
    turns = max(1, ceil((now - started) / FAILURE_TIME))
    await asyncio.sleep(started + turns * FAILURE_TIME - now)


def _signature(key: str, email: str, nonce: str) -> str:
    said = f"edgeflow known browser {_account(email)} {nonce}".encode()
    return base64.urlsafe_b64encode(hmac.digest(key.encode(), said, hashlib.sha256)[:18]).decode()


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
    return _digest(email.strip().lower())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]


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
