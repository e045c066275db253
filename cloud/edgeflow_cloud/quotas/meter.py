"""Calls a day: counted in Valkey, folded into PostgreSQL every minute, refused above the plan's number.

A hash for each day (UTC) holds the counts of all organizations. One that Valkey does not know starts from what was
folded last, so a wiped Valkey costs at most a minute of counting. Without Valkey nothing is counted and nobody is
refused: a lenient quota is better than a closed door.

Far from the limit a process tells Valkey of a quarter second's calls at once; near it, of each before it is answered.
"""

import asyncio
import math
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from edgeflow_cloud.infra.bus import BusAway
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_cloud.kernel.principal import Kind, Principal
from edgeflow_cloud.quotas import queries, service
from edgeflow_cloud.quotas.model import FeatureNotInPlan, Plan, QuotaExceeded, Resource, Usage

log = structlog.get_logger("edgeflow.quotas")

_DEADLINE: Final = 0.25  # seconds that Valkey may take
_PAUSE: Final = 2.0  # seconds for which Valkey is not asked again after a fault
_GATHERED: Final = 0.25  # seconds for which calls are counted here before Valkey is told
_NEAR: Final = 0.98  # of the limit: from there on each call is told by itself
_PLAN_KEPT: Final = 10.0  # seconds for which a process believes a plan
_MOST: Final = 20_000
_DAYS_KEPT: Final = 3 * 86_400.0
_FREE_OF_CHARGE: Final = frozenset({"signed-in", "public"})

_plans: dict[TenantId, tuple[float, Plan]] = {}
_tallies: OrderedDict[tuple[str, TenantId], "_Tally"] = OrderedDict()
_telling: set[asyncio.Task[int]] = set()
_away_until = 0.0


@dataclass(slots=True)
class _Tally:
    """An organization's calls of one day: what Valkey said, when, and how many of ours it does not know yet."""

    used: int = 0
    told_at: float = -math.inf
    untold: int = 0


async def count_call(context: Context, principal: Principal, permission: str) -> None:
    """Count one call of a person or program that needs `permission`.

    Not counted: what a device calls, what anybody who is signed in may call (log-out, own profile, the list of
    organizations), and plan and usage themselves: whoever is at the limit must be able to see it and change it.
    Raises QuotaExceeded, and FeatureNotInPlan for a program whose organization's plan has no API access.
    """
    if principal.kind not in (Kind.USER, Kind.API_KEY):
        return
    if permission in _FREE_OF_CHARGE or permission.startswith("billing:"):
        return
    plan = await _plan_of(context, principal)
    if principal.kind is Kind.API_KEY and "api_access" not in plan.features:
        raise FeatureNotInPlan(plan, "api_access")
    now = context.clock.now()
    limit = plan.limit(Resource.API_CALLS)
    used = await _count(context, principal, now, limit)
    if limit is not None and used > limit:
        raise QuotaExceeded(
            plan, Resource.API_CALLS, limit, retry_after=max(1, int((_midnight(now) - now).total_seconds()))
        )


async def calls_today(context: Context, principal: Principal, plan: Plan) -> Usage:
    """Today's calls of the principal's organization, as far as anybody knows."""
    now = context.clock.now()
    field = principal.tenant_id.hex
    try:
        async with asyncio.timeout(_DEADLINE):
            counted = await context.bus.read_count(_day_key(now), field)
    except (BusAway, TimeoutError):
        counted = 0
    untold = _tally(_day_key(now), principal.tenant_id).untold
    used = max(counted, await _folded(context, principal, now)) + untold
    limit = plan.limit(Resource.API_CALLS)
    return Usage(
        Resource.API_CALLS, used if limit is None else min(used, limit), limit, resets_at=_midnight(now)
    )


async def fold(context: Context, payload: dict[str, object]) -> None:
    """Job: write what Valkey has counted today and yesterday into PostgreSQL. Running it twice changes nothing."""
    now = context.clock.now()
    for at in (now - timedelta(days=1), now):
        counts = await context.bus.read_counts(_day_key(at))
        if not counts:
            continue
        tenants = [TenantId(_tenant(field)) for field in counts]
        async with context.db.system_tx("fold api calls") as tx:
            await queries.fold_calls(tx, at.date(), tenants, list(counts.values()), now)


async def _count(context: Context, principal: Principal, now: datetime, limit: int | None) -> int:
    """The day's calls with this one; 0 when Valkey does not say."""
    if time.monotonic() < _away_until:
        return 0
    tally = _tally(_day_key(now), principal.tenant_id)
    tally.untold += 1
    used = tally.used + tally.untold
    fresh = time.monotonic() - tally.told_at < _GATHERED
    if not fresh or (limit is not None and used > limit * _NEAR):
        return await _tell(context, principal, now, tally)
    if tally.untold == 1:
        asyncio.get_running_loop().call_later(_GATHERED, _tell_later, context, principal, now, tally)
    return used


def _tell_later(context: Context, principal: Principal, now: datetime, tally: _Tally) -> None:
    if tally.untold:
        task = asyncio.create_task(_tell(context, principal, now, tally), name="quotas-tell")
        _telling.add(task)
        task.add_done_callback(_told)


def _told(task: asyncio.Task[int]) -> None:
    _telling.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("quotas.not_counted", error=str(error) or type(error).__name__)


async def _tell(context: Context, principal: Principal, now: datetime, tally: _Tally) -> int:
    """Tell Valkey of the calls it does not know; the day's calls with them, or 0 when it does not say."""
    global _away_until
    key, field = _day_key(now), principal.tenant_id.hex
    told, tally.untold, tally.told_at = tally.untold, 0, time.monotonic()
    try:
        async with asyncio.timeout(_DEADLINE):
            used = await context.bus.count(key, field, told, ttl=_DAYS_KEPT)
    except (BusAway, TimeoutError):
        _away_until = time.monotonic() + _PAUSE
        return 0
    if used == told and (folded := await _folded(context, principal, now)):  # new today, or Valkey was wiped
        used += folded
        with suppress(BusAway, TimeoutError):
            async with asyncio.timeout(_DEADLINE):
                used = await context.bus.count(key, field, folded, ttl=_DAYS_KEPT)
    tally.used = used
    return used + tally.untold


def _tally(key: str, tenant_id: TenantId) -> _Tally:
    tally = _tallies.setdefault((key, tenant_id), _Tally())
    _tallies.move_to_end((key, tenant_id))
    while len(_tallies) > _MOST:
        _tallies.popitem(last=False)
    return tally


async def _folded(context: Context, principal: Principal, now: datetime) -> int:
    async with context.db.tenant_tx(principal) as tx:
        return await queries.select_calls(tx, principal.tenant_id, now.date())


async def _plan_of(context: Context, principal: Principal) -> Plan:
    until, plan = _plans.get(principal.tenant_id, (0.0, None))
    if plan is not None and time.monotonic() < until:
        return plan
    async with context.db.tenant_tx(principal) as tx:
        plan = await service.plan_of(tx, principal.tenant_id)
    if len(_plans) >= _MOST:
        _plans.clear()  # it only costs a query each
    _plans[principal.tenant_id] = (time.monotonic() + _PLAN_KEPT, plan)
    return plan


def _day_key(at: datetime) -> str:
    return f"calls:{at.astimezone(UTC):%Y-%m-%d}"


def _midnight(now: datetime) -> datetime:
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1)


def _tenant(field: str) -> UUID:
    return UUID(hex=field)
