"""Every SQL statement on `tenant_plans` and `api_calls`."""

from collections.abc import Sequence
from datetime import date, datetime

from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.ids import TenantId


async def select_plan(tx: Transaction, tenant_id: TenantId) -> str | None:
    return await tx.fetchval("select plan from tenant_plans where tenant_id = $1", tenant_id)


async def select_tenants(tx: Transaction, plan: str, after: TenantId | None, limit: int) -> list[TenantId]:
    """Organizations on a plan in the order of their ids, those behind `after`."""
    rows = await tx.fetch(
        """
        select tenant_id from tenant_plans where plan = $1 and ($2::uuid is null or tenant_id > $2)
        order by tenant_id limit $3
        """,
        plan,
        after,
        limit,
    )
    return [row["tenant_id"] for row in rows]


async def lock_plan(tx: Transaction, tenant_id: TenantId) -> str | None:
    """The same; whoever else would lock it waits until this transaction ends."""
    return await tx.fetchval(
        "select plan from tenant_plans where tenant_id = $1 for no key update", tenant_id
    )


async def upsert_plan(tx: Transaction, tenant_id: TenantId, plan: str, now: datetime) -> None:
    await tx.execute(
        """
        insert into tenant_plans (tenant_id, plan, changed_at) values ($1, $2, $3)
        on conflict (tenant_id) do update set plan = excluded.plan, changed_at = excluded.changed_at
        """,
        tenant_id,
        plan,
        now,
    )


async def count_resource(tx: Transaction, tenant_id: TenantId, resource: str) -> int:
    """How many there are, counted by PostgreSQL where they are."""
    return await tx.fetchval("select count_resource($1, $2)", tenant_id, resource)


async def select_calls(tx: Transaction, tenant_id: TenantId, day: date) -> int:
    return (
        await tx.fetchval("select calls from api_calls where tenant_id = $1 and day = $2", tenant_id, day)
        or 0
    )


async def fold_calls(
    tx: Transaction, day: date, tenants: Sequence[TenantId], calls: Sequence[int], now: datetime
) -> None:
    """Raise each organization's count of the day to what Valkey says; of an organization that has gone, nothing."""
    await tx.execute(
        """
        insert into api_calls (tenant_id, day, calls, updated_at)
        select counted.tenant_id, $1, counted.calls, $4
        from unnest($2::uuid[], $3::bigint[]) as counted (tenant_id, calls)
        join tenant_plans p on p.tenant_id = counted.tenant_id
        order by counted.tenant_id
        on conflict (tenant_id, day) do update
            set calls = greatest(api_calls.calls, excluded.calls), updated_at = excluded.updated_at
        """,
        day,
        list(tenants),
        list(calls),
        now,
    )


DELETE_OLD_CALLS = """
delete from api_calls where (tenant_id, day) in (
    select tenant_id, day from api_calls where updated_at < $1 order by updated_at limit $2
)"""
