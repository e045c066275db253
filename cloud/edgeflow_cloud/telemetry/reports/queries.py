"""Every SQL statement on executions, events and log lines."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from edgeflow_cloud.infra.db import Row as Record
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.telemetry.model import Row

_LINE = (
    "tenant_id", "device_id", "id", "time", "received_at", "level", "source", "message", "flow_id", "node_id",
)  # fmt: skip

DELETE_OLD_EXECUTIONS = """
delete from executions where (tenant_id, device_id, execution_id) in (
    select tenant_id, device_id, execution_id from executions where received_at < $1 order by received_at limit $2
)"""


async def insert_events(tx: Transaction, rows: Sequence[Row]) -> None:
    """Write events. Not by COPY: the driver has no binary form for our jsonb; events are few."""
    await tx.execute(
        """
        insert into device_events (tenant_id, device_id, id, time, received_at, source, code, level, message,
            flow_id, data)
        select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::text[],
            $7::text[], $8::text[], $9::text[], $10::text[], $11::jsonb[])
        """,
        *([row[index] for row in rows] for index in range(11)),
    )


async def copy_lines(tx: Transaction, rows: Sequence[Row]) -> None:
    await tx.copy_records_to_table("device_logs", records=rows, columns=list(_LINE))


async def upsert_executions(tx: Transaction, rows: Sequence[Row]) -> None:
    """Write executions, each key once; one that has ended stays as it ended."""
    await tx.execute(
        """
        insert into executions as e (tenant_id, device_id, execution_id, flow_id, flow_name, status, trigger,
            started_at, finished_at, error, nodes, received_at)
        select n.tenant_id, n.device_id, n.execution_id, n.flow_id, n.flow_name, n.status, n.trigger, n.started_at,
            n.finished_at, n.error, n.nodes::jsonb, n.received_at
        from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[], $12::timestamptz[])
            n (tenant_id, device_id, execution_id, flow_id, flow_name, status, trigger, started_at, finished_at,
            error, nodes, received_at)
        order by 1, 2, 3
        on conflict (tenant_id, device_id, execution_id) do update set
            status = excluded.status, trigger = excluded.trigger, finished_at = excluded.finished_at,
            error = excluded.error, nodes = excluded.nodes, received_at = excluded.received_at
        where e.status = 'running'
        """,
        *([row[index] for row in rows] for index in range(12)),
    )


async def select_executions(
    tx: Transaction,
    tenant_id: TenantId,
    device_id: DeviceId,
    flow_id: str | None,
    status: str | None,
    start: datetime | None,
    end: datetime | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Record]:
    """A device's executions without their nodes, the newest first."""
    return await tx.fetch(
        """
        select device_id, execution_id, flow_id, flow_name, status, trigger, started_at, finished_at, error
        from executions
        where tenant_id = $1 and device_id = $2
          and ($3::text is null or flow_id = $3) and ($4::text is null or status = $4)
          and ($5::timestamptz is null or started_at >= $5) and ($6::timestamptz is null or started_at < $6)
          and ($7::timestamptz is null or (started_at, execution_id) < ($7, $8::text))
        order by started_at desc, execution_id desc
        limit $9
        """,
        tenant_id, device_id, flow_id, status, start, end, *(after or (None, None)), limit,
    )  # fmt: skip


async def select_execution(
    tx: Transaction, tenant_id: TenantId, device_id: DeviceId, execution_id: str
) -> Record | None:
    return await tx.fetchrow(
        """
        select device_id, execution_id, flow_id, flow_name, status, trigger, started_at, finished_at, error, nodes
        from executions where tenant_id = $1 and device_id = $2 and execution_id = $3
        """,
        tenant_id,
        device_id,
        execution_id,
    )


async def select_events(
    tx: Transaction,
    tenant_id: TenantId,
    device_id: DeviceId,
    levels: Sequence[str],
    start: datetime | None,
    end: datetime | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Record]:
    """A device's events of these levels, the newest first."""
    return await tx.fetch(
        """
        select id, device_id, time, received_at, source, code, level, message, flow_id, data
        from own_device_events
        where tenant_id = $1 and device_id = $2 and level = any ($3::text[])
          and ($4::timestamptz is null or time >= $4) and ($5::timestamptz is null or time < $5)
          and ($6::timestamptz is null or (time, id) < ($6, $7::uuid))
        order by time desc, id desc
        limit $8
        """,
        tenant_id, device_id, list(levels), start, end, *(after or (None, None)), limit,
    )  # fmt: skip


async def select_lines(
    tx: Transaction,
    tenant_id: TenantId,
    device_id: DeviceId,
    levels: Sequence[str],
    source: str | None,
    search: str | None,
    start: datetime | None,
    end: datetime | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Record]:
    """A device's log lines of these levels, the newest first; `search` is text that the message holds."""
    return await tx.fetch(
        """
        select id, time, received_at, level, source, message, flow_id, node_id
        from own_device_logs
        where tenant_id = $1 and device_id = $2 and level = any ($3::text[])
          and ($4::text is null or source = $4)
          and ($5::text is null or strpos(lower(message), lower($5)) > 0)
          and ($6::timestamptz is null or time >= $6) and ($7::timestamptz is null or time < $7)
          and ($8::timestamptz is null or (time, id) < ($8, $9::uuid))
        order by time desc, id desc
        limit $10
        """,
        tenant_id, device_id, list(levels), source, search, start, end, *(after or (None, None)), limit,
    )  # fmt: skip


async def delete_events(tx: Transaction, tenant_id: TenantId, device_id: DeviceId, before: datetime) -> None:
    """Delete what a device that is gone has told until `before`."""
    await tx.execute(
        "delete from device_events where tenant_id = $1 and device_id = $2 and received_at <= $3",
        tenant_id,
        device_id,
        before,
    )


async def delete_lines(tx: Transaction, tenant_id: TenantId, device_id: DeviceId, before: datetime) -> None:
    """Delete the lines of a device that is gone."""
    await tx.execute(
        "delete from device_logs where tenant_id = $1 and device_id = $2 and received_at <= $3",
        tenant_id,
        device_id,
        before,
    )
