"""Does this session still count, and as whom? Asked on every request, answered mostly from memory.

PostgreSQL is the truth. What it said is kept for half a second in this process and for one second in
Valkey, so an ended session, a removed member or a changed role is known everywhere within two seconds even
if nobody tells; telling (`forget`) makes it sooner. A note that a session has ended outlives any answer
that was under way while it ended.
"""

import asyncio
import time
from collections import OrderedDict
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from edgeflow_cloud import organizations
from edgeflow_cloud.auth import queries
from edgeflow_cloud.auth.tokens import AccessToken
from edgeflow_cloud.infra.bus import BusAway
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.ids import SessionId
from edgeflow_cloud.kernel.principal import Kind, Principal

_LOCAL: Final = 0.5  # seconds an answer counts in this process
_SHARED: Final = 1.0  # seconds it counts in Valkey: together under the promised two
_ENDED: Final = 10.0  # seconds for which the end of a session is remembered
_DEADLINE: Final = 0.2  # seconds that Valkey may take; PostgreSQL is asked instead
_PAUSE: Final = 2.0  # seconds for which Valkey is not asked again after a fault
_MOST: Final = 20_000
_SEEN: Final = timedelta(minutes=1)  # how exactly "last seen" is written down
_OVER: Final = b"over"


class Standing(msgspec.Struct, frozen=True):
    """A living session: whose it is, where, and what that person may do there at this moment."""

    tenant_id: UUID
    user_id: UUID
    role: str
    permissions: frozenset[str]
    expires: float


_recent: OrderedDict[SessionId, tuple[float, Standing | None]] = OrderedDict()
_away_until = 0.0


async def find(context: Context, token: AccessToken) -> Standing | None:
    """The session that a good access token names, or None when it is over."""
    until, standing = _recent.get(token.session_id, (0.0, None))
    if until < time.monotonic():
        standing = await _ask(context, token)
    if standing is None or standing.expires <= context.clock.now().timestamp():
        return None
    if (standing.tenant_id, standing.user_id) != (token.tenant_id, token.user_id):
        return None
    return standing


async def forget(context: Context, *session_ids: SessionId) -> None:
    """Tell every process that these sessions are over. Called after the commit."""
    for session_id in session_ids:
        _remember(session_id, None)
    if session_ids:
        try:
            async with asyncio.timeout(_DEADLINE):
                await context.bus.set_many({_name(item): _OVER for item in session_ids}, ttl=_ENDED)
        except (BusAway, TimeoutError):
            pass  # the answers that others hold expire by themselves


async def _ask(context: Context, token: AccessToken) -> Standing | None:
    shared = await _from_valkey(context, token.session_id)
    if shared == _OVER:
        return _remember(token.session_id, None)
    if shared is not None:
        return _remember(token.session_id, msgspec.json.decode(shared, type=Standing))
    started = time.monotonic()
    standing = await _from_postgres(context, token)
    if standing is not None:  # a no is not kept: the token may name another's session wrongly
        _remember(token.session_id, standing, since=started)
        await _to_valkey(context, token.session_id, standing, started)
    return standing


async def _from_postgres(context: Context, token: AccessToken) -> Standing | None:
    claimed = Principal(tenant_id=token.tenant_id, kind=Kind.USER, id=token.user_id)
    async with context.db.tenant_tx(claimed) as tx:
        session = await queries.select_session(tx, token.tenant_id, token.session_id)
        now = context.clock.now()
        if session is None or session.user_id != token.user_id or session.is_over(now):
            return None
        if now - (session.last_seen_at or session.rotated_at) > _SEEN:
            await queries.touch_session(tx, session.tenant_id, session.id, now, now - _SEEN)
        principal = await organizations.principal_for(tx, user_id=token.user_id, tenant_id=token.tenant_id)
    if principal is None or principal.role is None:
        return None
    return Standing(
        tenant_id=session.tenant_id,
        user_id=session.user_id,
        role=principal.role.value,
        permissions=principal.permissions,
        expires=session.expires_at.timestamp(),
    )


def _remember(
    session_id: SessionId, standing: Standing | None, *, since: float | None = None
) -> Standing | None:
    kept = _ENDED if standing is None else _LOCAL
    _recent[session_id] = ((time.monotonic() if since is None else since) + kept, standing)
    _recent.move_to_end(session_id)
    while len(_recent) > _MOST:
        _recent.popitem(last=False)
    return standing


async def _from_valkey(context: Context, session_id: SessionId) -> bytes | None:
    global _away_until
    if time.monotonic() < _away_until:
        return None
    try:
        async with asyncio.timeout(_DEADLINE):
            return await context.bus.get(_name(session_id))
    except (BusAway, TimeoutError):
        _away_until = time.monotonic() + _PAUSE
        return None


async def _to_valkey(context: Context, session_id: SessionId, standing: Standing, started: float) -> None:
    """Share an answer, never over a note that the session has ended, and not when it took long to come."""
    left = _SHARED - (time.monotonic() - started)
    if left <= _DEADLINE or time.monotonic() < _away_until:
        return
    try:
        async with asyncio.timeout(_DEADLINE):
            await context.bus.set_if_absent(
                _name(session_id), msgspec.json.encode(standing), ttl=left - _DEADLINE
            )
    except (BusAway, TimeoutError):
        pass


def _name(session_id: SessionId) -> str:
    return f"session:{session_id.hex}"
