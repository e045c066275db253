"""Every SQL statement on `commands`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from edgeflow_cloud.commands.model import QUEUE_LIMIT, SLACK_SECONDS, CommandStatus, Filter, Order, sources
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import CommandId, DeviceId, TenantId

LISTED_BYTES = 16 * 1024

DELETE_OLD_COMMANDS = """
delete from commands where (tenant_id, id) in (
    select tenant_id, id from commands where finished_at < $1 order by finished_at limit $2
)"""


async def insert_command(
    tx: Transaction,
    tenant_id: TenantId,
    command_id: CommandId,
    order: Order,
    *,
    created_by: str,
    now: datetime,
    expires_at: datetime,
    waiter: str | None,
    connected: bool,
) -> Row | None:
    """Add a command; None when the queue is full or its idempotency key is taken.

    With nothing ahead of it, it is `sent` from the first moment: whoever commits this passes it on at once,
    and no second write is needed before it may go out. `ahead` is how many are seen to wait: what others add at
    the same moment is not among them.
    """
    return await tx.fetchrow(
        """
        with ahead as (
            select count(*) as active, count(*) filter (where status = 'queued') as queued
            from commands
            where tenant_id = $1 and device_id = $3 and status in ('queued', 'sent')
        )
        insert into commands (
            tenant_id, id, device_id, action, payload, timeout, keep, created_by, created_at, expires_at,
            waiter, idempotency_key, status, sent_at, due_at
        )
        select $1::uuid, $2::uuid, $3::uuid, $4::text, $5::jsonb, $6::double precision, $7::boolean,
            $8::text, $9::timestamptz, $10::timestamptz, $11::text, $12::text,
            case when $13::boolean and ahead.active = 0 then 'sent' else 'queued' end,
            case when $13 and ahead.active = 0 then $9 end,
            case when $13 and ahead.active = 0 then $9 + make_interval(secs => $6 + $14::double precision)
                else $10 end
        from ahead
        where ahead.queued < $15
        on conflict do nothing
        returning status, sent_at, (select queued from ahead) as ahead
        """,
        tenant_id,
        command_id,
        order.device_id,
        order.action,
        order.payload,
        order.timeout,
        order.ttl is not None,
        created_by,
        now,
        expires_at,
        waiter,
        order.idempotency_key,
        connected,
        SLACK_SECONDS,
        QUEUE_LIMIT,
    )


async def select_by_key(tx: Transaction, tenant_id: TenantId, created_by: str, key: str) -> Row | None:
    return await tx.fetchrow(
        """
        select tenant_id, id, device_id, action, payload, status, result, error, timeout, keep, created_by,
            created_at, expires_at, sent_at, finished_at, waiter, epoch,
            cancel_requested_at
        from commands where tenant_id = $1 and created_by = $2 and idempotency_key = $3
        """,
        tenant_id,
        created_by,
        key,
    )


async def select_command(tx: Transaction, tenant_id: TenantId, command_id: CommandId) -> Row | None:
    return await tx.fetchrow(
        """
        select tenant_id, id, device_id, action, payload, status, result, error, timeout, keep, created_by,
            created_at, expires_at, sent_at, finished_at, waiter, epoch,
            cancel_requested_at
        from commands where tenant_id = $1 and id = $2
        """,
        tenant_id,
        command_id,
    )


async def select_commands(
    tx: Transaction,
    tenant_id: TenantId,
    device_id: DeviceId,
    wanted: Filter,
    after: UUID | None,
    offset: int,
    limit: int,
) -> list[Row]:
    """The newest first; long payloads and results are left out and marked."""
    return await tx.fetch(
        """
        select tenant_id, id, device_id, action, status, error, timeout, keep, created_by, created_at,
            expires_at, sent_at, finished_at, waiter, epoch, cancel_requested_at,
            case when pg_column_size(payload) <= $7 then payload else '{}'::jsonb end as payload,
            case when pg_column_size(result) <= $7 then result end as result,
            pg_column_size(payload) > $7 or coalesce(pg_column_size(result), 0) > $7 as truncated
        from commands
        where tenant_id = $1 and device_id = $2
            and ($3::text is null or status = $3)
            and ($4::uuid is null or id < $4)
            and ($8::text is null or action = $8)
            and ($9::timestamptz is null or created_at >= $9)
            and ($10::timestamptz is null or created_at < $10)
        order by id desc
        offset $5 limit $6
        """,
        tenant_id,
        device_id,
        wanted.status,
        after,
        offset,
        limit,
        LISTED_BYTES,
        wanted.action,
        wanted.since,
        wanted.until,
    )


async def select_active(tx: Transaction, tenant_id: TenantId, device_id: DeviceId) -> list[Row]:
    """What waits for the device or for its answer, the oldest first; payloads only of what was sent."""
    return await tx.fetch(
        """
        select tenant_id, id, device_id, action, status, result, error, timeout, keep, created_by, created_at,
            expires_at, sent_at, finished_at, waiter, epoch, cancel_requested_at,
            case when status = 'sent' then payload else '{}'::jsonb end as payload
        from commands
        where tenant_id = $1 and device_id = $2 and status in ('queued', 'sent')
        order by id
        limit 64
        """,
        tenant_id,
        device_id,
    )


async def select_busy(
    tx: Transaction, tenant_ids: Sequence[UUID], device_ids: Sequence[UUID]
) -> Sequence[DeviceId]:
    """Those of the devices that something waits for, or whose answer is waited for."""
    rows = await tx.fetch(
        """
        select asked.device_id
        from unnest($1::uuid[], $2::uuid[]) as asked (tenant_id, device_id)
        where exists (
            select from commands c
            where c.tenant_id = asked.tenant_id and c.device_id = asked.device_id
                and c.status in ('queued', 'sent')
        )
        """,
        tenant_ids,
        device_ids,
    )
    return [row["device_id"] for row in rows]


async def claim_next(
    tx: Transaction,
    tenant_id: TenantId,
    device_id: DeviceId,
    epoch: int,
    now: datetime,
    running: Sequence[CommandId],
) -> Row | None:
    """Mark the oldest queued command as sent before it is: a crash leaves it unknown, never twice.

    None too while an older one is `sent` that no hub has noted and that is not among `running`: it comes first.
    """
    return await tx.fetchrow(
        """
        update commands
        set status = 'sent', sent_at = $3, epoch = $5,
            due_at = $3 + make_interval(secs => timeout + $4::double precision)
        where tenant_id = $1 and status = 'queued' and id = (
            select id from commands
            where tenant_id = $1 and device_id = $2 and status = 'queued' and expires_at > $3
            order by id
            limit 1
            for update skip locked
        ) and not exists (
            select from commands orphan
            where orphan.tenant_id = $1 and orphan.device_id = $2 and orphan.status = 'sent' and orphan.epoch is null
                and orphan.id < commands.id and orphan.id <> all($6::uuid[])
        )
        returning tenant_id, id, device_id, action, payload, status, result, error, timeout, keep, created_by,
            created_at, expires_at, sent_at, finished_at, waiter, epoch,
            cancel_requested_at
        """,
        tenant_id,
        device_id,
        now,
        SLACK_SECONDS,
        epoch,
        running,
    )


async def select_orphan(
    tx: Transaction, tenant_id: TenantId, device_id: DeviceId, running: Sequence[CommandId]
) -> Row | None:
    """The oldest command that is `sent` by its order alone: no hub has noted it, and it is not among `running`."""
    return await tx.fetchrow(
        """
        select tenant_id, id, device_id, action, payload, status, result, error, timeout, keep, created_by,
            created_at, expires_at, sent_at, finished_at, waiter, epoch, cancel_requested_at
        from commands
        where tenant_id = $1 and device_id = $2 and status = 'sent' and epoch is null and id <> all($3::uuid[])
        order by id
        limit 1
        """,
        tenant_id,
        device_id,
        running,
    )


async def finish(
    tx: Transaction,
    tenant_id: TenantId,
    command_id: CommandId,
    status: CommandStatus,
    result: object,
    error: str | None,
    now: datetime,
    epoch: int | None,
) -> Row | None:
    """Give the command its final state, once: None where `status` may not follow, or a newer connection has it."""
    return await tx.fetchrow(
        """
        update commands set status = $3, result = $4, error = $5, finished_at = $6, due_at = null
        where tenant_id = $1 and id = $2 and status = any($7::text[])
            and ($8::bigint is null or epoch is null or epoch <= $8)
        returning tenant_id, id, device_id, action, payload, status, result, error, timeout, keep, created_by,
            created_at, expires_at, sent_at, finished_at, waiter, epoch,
            cancel_requested_at
        """,
        tenant_id,
        command_id,
        status.value,
        result,
        error,
        now,
        sources(status),
        epoch,
    )


async def lock_command(tx: Transaction, tenant_id: TenantId, command_id: CommandId) -> str | None:
    """The command's status, which nobody else changes until the transaction ends; None when there is none."""
    return await tx.fetchval(
        "select status from commands where tenant_id = $1 and id = $2 for update", tenant_id, command_id
    )


async def request_cancel(tx: Transaction, tenant_id: TenantId, command_id: CommandId, now: datetime) -> Row:
    """Note that a command, which is locked and sent, is wanted back; the first time counts."""
    rows = await tx.fetch(
        """
        update commands set cancel_requested_at = coalesce(cancel_requested_at, $3)
        where tenant_id = $1 and id = $2
        returning tenant_id, id, device_id, action, payload, status, result, error, timeout, keep, created_by,
            created_at, expires_at, sent_at, finished_at, waiter, epoch, cancel_requested_at
        """,
        tenant_id,
        command_id,
        now,
    )
    return rows[0]


async def lock_queue(tx: Transaction, device_id: DeviceId) -> None:
    """One at a time adds to a device's queue, until the transaction ends."""
    await tx.execute(
        "select pg_advisory_xact_lock(hashtextextended('commands:' || $1::text, 0))", str(device_id)
    )


async def count_queued(tx: Transaction, tenant_id: TenantId, device_id: DeviceId) -> int:
    return await tx.fetchval(
        "select count(*) from commands where tenant_id = $1 and device_id = $2 and status = 'queued'",
        tenant_id,
        device_id,
    )


async def claim_again(tx: Transaction, tenant_id: TenantId, command_id: CommandId, epoch: int) -> bool:
    """Note that a sent command goes out once more, on a newer connection; False when it may not."""
    return (
        await tx.fetchval(
            """
            update commands set epoch = $3
            where tenant_id = $1 and id = $2 and status = 'sent' and (epoch is null or epoch < $3)
                and cancel_requested_at is null
            returning true
            """,
            tenant_id,
            command_id,
            epoch,
        )
        is True
    )


async def give_back(
    tx: Transaction, tenant_id: TenantId, command_id: CommandId, epoch: int | None
) -> Row | None:
    """Put a sent command back into the queue at its old place, unless another connection has it by now."""
    return await tx.fetchrow(
        """
        update commands set status = 'queued', sent_at = null, due_at = expires_at, epoch = null
        where tenant_id = $1 and id = $2 and status = 'sent' and epoch is not distinct from $3
        returning tenant_id, id, device_id, action, payload, status, result, error, timeout, keep, created_by,
            created_at, expires_at, sent_at, finished_at, waiter, epoch,
            cancel_requested_at
        """,
        tenant_id,
        command_id,
        epoch,
    )


async def lock_unsent(
    tx: Transaction, tenant_id: TenantId, command_id: CommandId, status: str, epoch: int | None
) -> bool:
    """Lock the command if it is still as the caller knows it: in `status`, and on no other connection."""
    return (
        await tx.fetchval(
            """
            select true from commands
            where tenant_id = $1 and id = $2 and status = $3 and epoch is not distinct from $4
            for update
            """,
            tenant_id,
            command_id,
            status,
            epoch,
        )
        is True
    )


async def summarize(tx: Transaction, tenant_id: TenantId, device_id: DeviceId, since: datetime) -> Row:
    """How many wait and are under way, since when, how long the first may wait; how many became unknown `since`."""
    rows = await tx.fetch(
        """
        select count(*) filter (where status = 'queued') as queued,
            min(created_at) filter (where status = 'queued') as queued_since,
            min(expires_at) filter (where status = 'queued') as expires_at,
            count(*) filter (where status = 'sent') as sent,
            min(sent_at) filter (where status = 'sent') as sent_since,
            count(*) filter (where status = 'unknown') as unknown,
            max(finished_at) filter (where status = 'unknown') as unknown_at
        from commands
        where tenant_id = $1 and device_id = $2
            and (status in ('queued', 'sent') or (status = 'unknown' and created_at > $3))
        """,
        tenant_id,
        device_id,
        since,
    )
    return rows[0]


async def select_due(tx: Transaction, now: datetime, limit: int) -> list[Row]:
    """Active commands of all organizations whose time is up, locked; what others hold is left to them."""
    return await tx.fetch(
        """
        select tenant_id, id, status from commands
        where due_at <= $1
        order by due_at
        limit $2
        for update skip locked
        """,
        now,
        limit,
    )


async def select_waiting_devices(
    tx: Transaction, newer_than: datetime, older_than: datetime, limit: int
) -> Sequence[DeviceId]:
    """Devices of all organizations for whom a command has waited since between the two instants."""
    rows = await tx.fetch(
        """
        select distinct device_id from commands
        where status = 'queued' and created_at > $1 and created_at < $2
        limit $3
        """,
        newer_than,
        older_than,
        limit,
    )
    return [row["device_id"] for row in rows]
