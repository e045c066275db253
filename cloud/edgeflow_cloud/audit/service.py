"""Recording what was changed and what was refused; reading both."""

from collections.abc import Mapping

import asyncpg
import structlog

from edgeflow_cloud.audit import queries, signing
from edgeflow_cloud.audit.model import FAILURE, SUCCESS, Actor, Entry, Filter
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.limits import Limit
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Invalid, Problem
from edgeflow_cloud.kernel.ids import AuditId, MalformedId, TenantId
from edgeflow_cloud.kernel.paging import Page, Slice, encode_cursor
from edgeflow_cloud.kernel.principal import Kind, Principal

log = structlog.get_logger("edgeflow.audit")
REFUSALS = Limit("audit-refusals", 10, 60)
"""Refusals a minute that are recorded of one caller: more say nothing new, and would let anybody fill the log."""


async def record(
    tx: Transaction,
    principal: Principal,
    action: str,
    resource_type: str,
    resource_id: str,
    *,
    old: Mapping[str, object] | None = None,
    new: Mapping[str, object] | None = None,
    status: str = SUCCESS,
) -> None:
    """Write one entry. `action` is `noun.verb` as published; `old` and `new` hold JSON values and never a secret."""
    await queries.insert_entry(
        tx,
        tenant_id=principal.tenant_id,
        entry_id=ids.new(),
        actor_kind=principal.kind.value,
        actor_id=principal.wire_id,
        action=action,
        resource_type=resource_type,
        resource_id=resource_id,
        status=status,
        old_values=old,
        new_values=new,
        ip_address=principal.ip_address,
        user_agent=principal.user_agent,
    )


async def record_refusal(
    context: Context,
    principal: Principal,
    action: str,
    resource_type: str,
    resource_id: str,
    *,
    reason: Mapping[str, object] | None = None,
) -> None:
    """Write that an attempt was refused, in a transaction of its own: the attempt's is rolled back.

    Never raises for a part that is away, since the refusal stands either way, and writes at most ten a minute of one
    caller. `reason` becomes `new_values`.
    """
    caller = f"{principal.tenant_id}:{principal.wire_id}"
    if not (await context.limits.take(REFUSALS, caller)).allowed:
        return
    try:
        async with context.db.tenant_tx(principal) as tx:
            await record(tx, principal, action, resource_type, resource_id, new=reason, status=FAILURE)
    except (Problem, asyncpg.PostgresError, OSError) as error:
        log.warning("audit.refusal_not_recorded", action=action, error=str(error) or type(error).__name__)


async def list_entries(tx: Transaction, principal: Principal, wanted: Filter, page: Page) -> Slice[Entry]:
    """The organization's entries, the newest first. Raises Invalid (`bad_cursor`)."""
    rows = await queries.select_entries(
        tx,
        principal.tenant_id,
        wanted,
        before=_entry_before(page) if page.after else None,
        offset=0 if page.after else page.offset,
        limit=page.limit + 1,
    )
    items = [to_entry(row) for row in rows[: page.limit]]
    more = len(rows) > page.limit
    return Slice(items, encode_cursor(ids.encode(ids.AUDIT, items[-1].id)) if more else None)


async def list_checkpoints(tx: Transaction, principal: Principal, page: Page) -> Slice[signing.Signed]:
    """The organization's checkpoints, the newest first. Raises Invalid (`bad_cursor`)."""
    before = _sequence_before(page) if page.after else None
    rows = await queries.select_checkpoints(
        tx, principal.tenant_id, before, 0 if page.after else page.offset, page.limit + 1
    )
    items = [to_signed(row) for row in rows[: page.limit]]
    more = len(rows) > page.limit
    return Slice(items, encode_cursor(str(rows[page.limit - 1]["sequence"])) if more else None)


def to_entry(row: Row) -> Entry:
    """An entry from a row of `queries.select_entries`."""
    return Entry(
        id=AuditId(row["id"]),
        organization_id=TenantId(row["tenant_id"]),
        user_id=row["actor_id"] if row["actor_kind"] == Kind.USER else None,
        actor=Actor(row["actor_kind"], row["actor_id"]),
        action=row["action"],
        resource_type=row["resource_type"],
        resource_id=row["resource_id"],
        status=row["status"],
        old_values=row["old_values"],
        new_values=row["new_values"],
        ip_address=row["ip_address"],
        user_agent=row["user_agent"],
        timestamp=row["occurred_at"],
        sequence=row["sequence"],
    )


def to_signed(row: Row) -> signing.Signed:
    """A checkpoint's text and signature from a row of `audit_checkpoints`."""
    return signing.Signed(str(row["document"]).encode(), row["signature"])


def _entry_before(page: Page) -> AuditId:
    try:
        return AuditId(ids.decode(ids.AUDIT, page.after[0]))
    except MalformedId:
        raise _bad_cursor() from None


def _sequence_before(page: Page) -> int:
    text = page.after[0]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise _bad_cursor()
    return int(text)


def _bad_cursor() -> Invalid:
    return Invalid("This cursor is not one of ours; start again without it.", code="bad_cursor")
