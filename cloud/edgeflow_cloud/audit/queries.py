"""Every SQL statement on `audit_entries`, `audit_unsealed`, `audit_seals`, `audit_checkpoints` and `audit_chains`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from edgeflow_cloud.audit.model import Filter
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import TenantId

WRITTEN = """
    e.tenant_id, e.id, e.actor_kind, e.actor_id, e.action, e.resource_type, e.resource_id, e.status,
    e.old_values::text as old_text, e.new_values::text as new_text, e.ip_address, e.user_agent,
    to_char(e.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time_text
"""
"""An entry as it is hashed: what PostgreSQL alone can spell exactly comes as text."""

_SHOWN = """
    e.tenant_id, e.id, e.actor_kind, e.actor_id, e.action, e.resource_type, e.resource_id, e.status,
    e.old_values, e.new_values, e.ip_address, e.user_agent, e.occurred_at,
    (select s.sequence from audit_seals s where s.tenant_id = e.tenant_id and s.entry_id = e.id) as sequence
"""
_REST = """
    and ($2::uuid is null or e.id < $2) and ($3::text is null or e.status = $3)
    and ($4::timestamptz is null or e.occurred_at >= $4) and ($5::timestamptz is null or e.occurred_at < $5)
    and ($8::text is null or starts_with(e.action, $8))
"""
_PAGE = "order by e.id desc offset $6 limit $7"

# One statement for each index, so that the planner is never asked to guess which filter was given.
_BY_RESOURCE = f"""
select {_SHOWN} from audit_entries e
where e.tenant_id = $1 {_REST} and e.resource_type = $9::text and e.resource_id = $10::text
    and ($11::text is null or e.actor_id = $11) and ($12::text is null or e.action = $12)
{_PAGE}"""  # noqa: S608 - constants of this module
_BY_ACTOR = f"""
select {_SHOWN} from audit_entries e
where e.tenant_id = $1 {_REST} and e.actor_id = $11::text
    and ($9::text is null or e.resource_type = $9) and ($10::text is null or e.resource_id = $10)
    and ($12::text is null or e.action = $12)
{_PAGE}"""  # noqa: S608 - constants of this module
_BY_ACTION = f"""
select {_SHOWN} from audit_entries e
where e.tenant_id = $1 {_REST} and e.action = $12::text
    and ($9::text is null or e.resource_type = $9) and ($10::text is null or e.resource_id = $10)
    and ($11::text is null or e.actor_id = $11)
{_PAGE}"""  # noqa: S608 - constants of this module
_BY_TIME = f"""
select {_SHOWN} from audit_entries e
where e.tenant_id = $1 {_REST}
    and ($9::text is null or e.resource_type = $9) and ($10::text is null or e.resource_id = $10)
    and ($11::text is null or e.actor_id = $11) and ($12::text is null or e.action = $12)
{_PAGE}"""  # noqa: S608 - constants of this module


async def insert_entry(
    tx: Transaction,
    *,
    tenant_id: TenantId,
    entry_id: UUID,
    actor_kind: str,
    actor_id: str,
    action: str,
    resource_type: str,
    resource_id: str,
    status: str,
    old_values: Mapping[str, object] | None,
    new_values: Mapping[str, object] | None,
    ip_address: str | None,
    user_agent: str | None,
) -> None:
    """A trigger hands the entry to the sealer."""
    await tx.execute(
        """
        insert into audit_entries (
            tenant_id, id, actor_kind, actor_id, action, resource_type, resource_id, status,
            old_values, new_values, ip_address, user_agent
        ) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        tenant_id,
        entry_id,
        actor_kind,
        actor_id,
        action,
        resource_type,
        resource_id,
        status,
        old_values,
        new_values,
        ip_address,
        user_agent,
    )


async def select_entries(
    tx: Transaction, tenant_id: TenantId, wanted: Filter, *, before: UUID | None, offset: int, limit: int
) -> list[Row]:
    """The newest first, by id."""
    if wanted.resource_type is not None and wanted.resource_id is not None:
        statement = _BY_RESOURCE
    elif wanted.actor_id is not None:
        statement = _BY_ACTOR
    elif wanted.whole_action is not None:
        statement = _BY_ACTION
    else:
        statement = _BY_TIME
    return await tx.fetch(
        statement,
        tenant_id,
        before,
        wanted.status,
        wanted.start,
        wanted.end,
        offset,
        limit,
        wanted.action_prefix,
        wanted.resource_type,
        wanted.resource_id,
        wanted.actor_id,
        wanted.whole_action,
    )


# --- sealing


async def try_sealer_lock(tx: Transaction) -> bool:
    """Whether this transaction is the one that seals. The lock goes with it, however it ends."""
    return await tx.fetchval("select pg_try_advisory_xact_lock(107370617564697)") is True


async def select_unsealed(tx: Transaction, limit: int) -> list[Row]:
    """What waits for a seal and is visible, the oldest ids first; `sealed` tells who has one already."""
    return await tx.fetch(
        f"""
        select {WRITTEN}, exists (
            select from audit_seals s where s.tenant_id = e.tenant_id and s.entry_id = e.id
        ) as sealed
        from audit_unsealed u join audit_entries e on e.tenant_id = u.tenant_id and e.id = u.entry_id
        order by u.entry_id
        limit $1
        """,  # noqa: S608 - constants of this module
        limit,
    )


async def select_heads(tx: Transaction, tenant_ids: Sequence[TenantId]) -> list[Row]:
    """The last seal of each chain that has one."""
    return await tx.fetch(
        """
        select wanted.tenant_id, head.sequence, head.hash
        from unnest($1::uuid[]) wanted (tenant_id)
        cross join lateral (
            select s.sequence, s.hash from audit_seals s
            where s.tenant_id = wanted.tenant_id order by s.sequence desc limit 1
        ) head
        """,
        tenant_ids,
    )


async def insert_seals(
    tx: Transaction, seals: Sequence[tuple[TenantId, int, UUID, bytes, bytes]], *, format: int
) -> None:
    """`seals` are (tenant, sequence, entry, previous hash, hash)."""
    await tx.execute(
        """
        insert into audit_seals (tenant_id, sequence, entry_id, previous_hash, hash, format)
        select tenant_id, sequence, entry_id, previous_hash, hash, $6::integer
        from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bytea[], $5::bytea[])
            made (tenant_id, sequence, entry_id, previous_hash, hash)
        """,
        *(list(column) for column in zip(*seals, strict=True)),
        format,
    )


async def delete_unsealed(tx: Transaction, entries: Sequence[tuple[TenantId, UUID]]) -> None:
    await tx.execute(
        """
        delete from audit_unsealed u using unnest($1::uuid[], $2::uuid[]) done (tenant_id, entry_id)
        where u.tenant_id = done.tenant_id and u.entry_id = done.entry_id
        """,
        [tenant_id for tenant_id, _ in entries],
        [entry_id for _, entry_id in entries],
    )


async def advance_chains(tx: Transaction, heads: Mapping[TenantId, int], now: datetime) -> None:
    """Note how far each chain is sealed, and since when it waits for a checkpoint."""
    await tx.execute(
        """
        insert into audit_chains (tenant_id, sequence, pending_since)
        select tenant_id, sequence, $3::timestamptz from unnest($1::uuid[], $2::bigint[]) made (tenant_id, sequence)
        order by tenant_id
        on conflict (tenant_id) do update
        set sequence = excluded.sequence,
            pending_since = coalesce(audit_chains.pending_since, excluded.pending_since)
        """,
        list(heads),
        list(heads.values()),
        now,
    )


# --- reading the chain


async def select_chain(tx: Transaction, tenant_id: TenantId, after: int, limit: int) -> list[Row]:
    """Seals behind number `after` in order, each beside its entry; the entry's columns are NULL when it is gone."""
    return await tx.fetch(
        f"""
        select s.sequence, s.previous_hash, s.hash, s.format, s.entry_id, {WRITTEN}
        from audit_seals s
        left join audit_entries e on e.tenant_id = s.tenant_id and e.id = s.entry_id
        where s.tenant_id = $1 and s.sequence > $2
        order by s.sequence
        limit $3
        """,  # noqa: S608 - constants of this module
        tenant_id,
        after,
        limit,
    )


async def select_seal_hash(tx: Transaction, tenant_id: TenantId, sequence: int) -> bytes | None:
    return await tx.fetchval(
        "select hash from audit_seals where tenant_id = $1 and sequence = $2", tenant_id, sequence
    )


async def select_waiting(tx: Transaction, tenant_id: TenantId, after: UUID | None, limit: int) -> list[Row]:
    """Entries that have no seal yet, by id."""
    return await tx.fetch(
        f"""
        select {WRITTEN}
        from audit_unsealed u join audit_entries e on e.tenant_id = u.tenant_id and e.id = u.entry_id
        where u.tenant_id = $1 and ($2::uuid is null or u.entry_id > $2)
        order by u.entry_id
        limit $3
        """,  # noqa: S608 - constants of this module
        tenant_id,
        after,
        limit,
    )


async def count_log(tx: Transaction, tenant_id: TenantId) -> Row:
    """In one snapshot: entries, seals, entries that wait for one."""
    row = await tx.fetchrow(
        """
        select
            (select count(*) from audit_entries where tenant_id = $1) as entries,
            (select count(*) from audit_seals where tenant_id = $1) as seals,
            (select count(*) from audit_unsealed where tenant_id = $1) as unsealed
        """,
        tenant_id,
    )
    assert row is not None  # noqa: S101 - a select without FROM has one row
    return row


async def select_sealed_to(tx: Transaction, tenant_id: TenantId) -> int:
    """How far the bookkeeping says that the chain reaches."""
    return await tx.fetchval("select sequence from audit_chains where tenant_id = $1", tenant_id) or 0


async def select_stray_entry(tx: Transaction, tenant_id: TenantId) -> UUID | None:
    """An entry that is neither sealed nor waiting for it: the sealer was never told of it."""
    return await tx.fetchval(
        """
        select e.id from audit_entries e
        where e.tenant_id = $1
            and not exists (select from audit_seals s where s.tenant_id = e.tenant_id and s.entry_id = e.id)
            and not exists (select from audit_unsealed u where u.tenant_id = e.tenant_id and u.entry_id = e.id)
        order by e.id
        limit 1
        """,
        tenant_id,
    )


# --- checkpoints


async def select_due_chains(tx: Transaction, before: datetime, seals: int, limit: int) -> list[Row]:
    """Chains whose oldest seal without a checkpoint is from before `before`, or that have `seals` of them."""
    return await tx.fetch(
        """
        select c.tenant_id from audit_chains c
        where c.pending_since is not null
            and (c.pending_since < $1 or c.sequence - c.checkpoint_sequence >= $2::bigint)
        order by c.pending_since
        limit $3
        """,
        before,
        seals,
        limit,
    )


async def select_last_checkpoint(tx: Transaction, tenant_id: TenantId) -> Row | None:
    return await tx.fetchrow(
        """
        select c.sequence, c.document, c.signature from audit_checkpoints c
        where c.tenant_id = $1 order by c.sequence desc limit 1
        """,
        tenant_id,
    )


async def select_checkpoints_between(
    tx: Transaction, tenant_id: TenantId, after: int, until: int | None, limit: int
) -> list[Row]:
    """Checkpoints behind seal `after` and at most at seal `until`, in order."""
    return await tx.fetch(
        """
        select c.sequence, c.document, c.signature from audit_checkpoints c
        where c.tenant_id = $1 and c.sequence > $2 and ($3::bigint is null or c.sequence <= $3)
        order by c.sequence
        limit $4
        """,
        tenant_id,
        after,
        until,
        limit,
    )


async def select_checkpoints(
    tx: Transaction, tenant_id: TenantId, before: int | None, offset: int, limit: int
) -> list[Row]:
    """The newest first."""
    return await tx.fetch(
        """
        select c.sequence, c.document, c.signature from audit_checkpoints c
        where c.tenant_id = $1 and ($2::bigint is null or c.sequence < $2)
        order by c.sequence desc
        offset $3 limit $4
        """,
        tenant_id,
        before,
        offset,
        limit,
    )


async def insert_checkpoint(
    tx: Transaction, tenant_id: TenantId, sequence: int, document: str, signature: bytes
) -> None:
    await tx.execute(
        """
        insert into audit_checkpoints (tenant_id, sequence, document, signature) values ($1, $2, $3, $4)
        on conflict (tenant_id, sequence) do nothing
        """,
        tenant_id,
        sequence,
        document,
        signature,
    )


async def settle_checkpoint(tx: Transaction, tenant_id: TenantId, sequence: int, now: datetime) -> None:
    """The chain has a checkpoint at `sequence`; what was sealed meanwhile waits from now on."""
    await tx.execute(
        """
        update audit_chains c
        set checkpoint_sequence = $2,
            pending_since = case when c.sequence > $2 then $3::timestamptz end
        where c.tenant_id = $1
        """,
        tenant_id,
        sequence,
        now,
    )


async def defer_chain(tx: Transaction, tenant_id: TenantId, now: datetime) -> None:
    """The chain could not be given a checkpoint: it goes to the end of the line."""
    await tx.execute(
        "update audit_chains set pending_since = $2 where tenant_id = $1 and pending_since is not null",
        tenant_id,
        now,
    )
