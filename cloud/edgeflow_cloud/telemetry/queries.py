"""Every SQL statement on samples and their cursors."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import cast

from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.telemetry.model import METRICS, Batch, Row

COLUMNS = (
    "tenant_id",
    "device_id",
    "time",
    "received_at",
    "device_time",
    *METRICS,
    "cpu_cores",
    "disk_mounts",
    "disk_total_bytes",
    "disk_used_bytes",
    "network_interfaces",
    "network_rx_bytes",
    "network_tx_bytes",
)

Run = tuple[TenantId, DeviceId, str]

DELETE_OLD_CURSORS = """
delete from telemetry_cursors where (tenant_id, device_id, boot_id) in (
    select tenant_id, device_id, boot_id from telemetry_cursors where moved_at < $1 order by moved_at limit $2
)"""


async def lock_cursors(tx: Transaction, runs: Sequence[Run]) -> dict[Run, int]:
    """The stored position of each run, locked in one order until the transaction ends; unknown ones are
    absent.
    """
    rows = await tx.fetch(
        """
        select c.tenant_id, c.device_id, c.boot_id, c.last_sequence
        from unnest($1::uuid[], $2::uuid[], $3::text[]) asked (tenant_id, device_id, boot_id)
        join telemetry_cursors c using (tenant_id, device_id, boot_id)
        order by c.tenant_id, c.device_id, c.boot_id
        for update of c
        """,
        *_columns(runs),
    )
    return {(row["tenant_id"], row["device_id"], row["boot_id"]): row["last_sequence"] for row in rows}


async def add_cursors(tx: Transaction, runs: Sequence[Run]) -> None:
    """Make positions at 0 for runs that have none; waits for a twin that does the same."""
    await tx.execute(
        """
        insert into telemetry_cursors (tenant_id, device_id, boot_id, last_sequence)
        select tenant_id, device_id, boot_id, 0
        from unnest($1::uuid[], $2::uuid[], $3::text[]) asked (tenant_id, device_id, boot_id)
        order by tenant_id, device_id, boot_id
        on conflict do nothing
        """,
        *_columns(runs),
    )


async def move_cursors(
    tx: Transaction, positions: dict[Run, int], spans: Sequence[tuple[datetime | None, datetime | None]]
) -> None:
    """Set the positions of locked runs, and note of which times each has new samples.

    No indexed column changes more than once an hour, so that the row stays in its page and no index grows.
    """
    await tx.execute(
        """
        update telemetry_cursors c set
            last_sequence = moved.last_sequence,
            moved_at = case when c.moved_at < now() - interval '1 hour' then now() else c.moved_at end,
            unrolled_from = least(c.unrolled_from, moved.oldest),
            unrolled_to = greatest(c.unrolled_to, moved.newest)
        from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[])
            moved (tenant_id, device_id, boot_id, last_sequence, oldest, newest)
        where c.tenant_id = moved.tenant_id and c.device_id = moved.device_id and c.boot_id = moved.boot_id
        """,
        *_columns(list(positions)),
        list(positions.values()),
        [span[0] for span in spans],
        [span[1] for span in spans],
    )


def _columns(runs: Sequence[Run]) -> tuple[list[TenantId], list[DeviceId], list[str]]:
    return [run[0] for run in runs], [run[1] for run in runs], [run[2] for run in runs]


async def copy_samples(tx: Transaction, batches: Sequence[Batch]) -> None:
    """Write all rows of the batches in one COPY."""
    rows: list[Row] = [row for batch in batches for row in batch.rows]
    if rows:
        await tx.copy_records_to_table("system_samples", records=rows, columns=list(COLUMNS))


async def copy_custom(tx: Transaction, rows: Sequence[Row]) -> None:
    """Write values that devices name themselves."""
    columns = ["tenant_id", "device_id", "name", "time", "received_at", "value"]
    await tx.copy_records_to_table("custom_samples", records=rows, columns=columns)


async def add_custom_metrics(
    tx: Transaction, tenant_id: TenantId, names: Sequence[str], limit: int
) -> list[str]:
    """Note that the names are used; those that are new take what room there is. Answers the names that are in.

    Whoever adds names to an organization waits for others who do, so that the limit holds exactly.
    """
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 18))", str(tenant_id))
    rows = await tx.fetch(
        """
        with used as (
            update custom_metrics set last_seen_at = now()
            where tenant_id = $1 and name = any ($2::text[])
            returning name
        ), added as (
            insert into custom_metrics (tenant_id, name)
            select $1, name from unnest($2::text[]) wanted (name)
            where name not in (select m.name from custom_metrics m where m.tenant_id = $1)
            order by name
            limit greatest(0, $3 - (select count(*) from custom_metrics m where m.tenant_id = $1))
            returning name
        )
        select name from used union all select name from added
        """,
        tenant_id,
        list(names),
        limit,
    )
    return [row["name"] for row in rows]


DELETE_OLD_CUSTOM_METRICS = """
delete from custom_metrics where (tenant_id, name) in (
    select tenant_id, name from custom_metrics where last_seen_at < $1 order by last_seen_at limit $2
)"""

LATEST = (
    "cpu_percent", "memory_percent", "temperature_celsius", "disk_percent", "load_1", "uptime_seconds",
)  # fmt: skip


async def upsert_latest(tx: Transaction, rows: Sequence[Row]) -> None:
    """Write the newest values of devices, rows of (tenant, device, time, *LATEST, custom as JSON).

    What a device did not say this time stays as it was. Devices that are gone are left out.
    """
    await tx.execute(
        """
        insert into device_latest_metrics as l (tenant_id, device_id, time, cpu_percent, memory_percent,
            temperature_celsius, disk_percent, load_1, uptime_seconds, custom)
        select n.*
        from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::double precision[], $5::double precision[],
            $6::double precision[], $7::double precision[], $8::double precision[], $9::double precision[],
            $10::jsonb[]) n (tenant_id, device_id, time, cpu_percent, memory_percent, temperature_celsius,
            disk_percent, load_1, uptime_seconds, custom)
        where exists (
            select from telemetry_cursors c where c.tenant_id = n.tenant_id and c.device_id = n.device_id
        )
        order by n.tenant_id, n.device_id
        on conflict (tenant_id, device_id) do update set
            time = excluded.time,
            cpu_percent = coalesce(excluded.cpu_percent, l.cpu_percent),
            memory_percent = coalesce(excluded.memory_percent, l.memory_percent),
            temperature_celsius = coalesce(excluded.temperature_celsius, l.temperature_celsius),
            disk_percent = coalesce(excluded.disk_percent, l.disk_percent),
            load_1 = coalesce(excluded.load_1, l.load_1),
            uptime_seconds = coalesce(excluded.uptime_seconds, l.uptime_seconds),
            custom = l.custom || excluded.custom
        where excluded.time >= l.time
        """,
        *([row[index] for row in rows] for index in range(3 + len(LATEST) + 1)),
    )


async def select_custom_names(tx: Transaction, tenant_id: TenantId, device_id: DeviceId) -> list[str]:
    """The names of a device's own values, in order."""
    rows = await tx.fetch(
        """
        select jsonb_object_keys(custom) as name from device_latest_metrics
        where tenant_id = $1 and device_id = $2
        order by 1
        """,
        tenant_id,
        device_id,
    )
    return [row["name"] for row in rows]


async def select_common_names(
    tx: Transaction, tenant_id: TenantId, device_ids: Sequence[DeviceId]
) -> list[str]:
    """The names of the devices' own values, each once, in order."""
    rows = await tx.fetch(
        """
        select distinct jsonb_object_keys(custom) as name from device_latest_metrics
        where tenant_id = $1 and device_id = any ($2::uuid[])
        order by 1
        """,
        tenant_id,
        list(device_ids),
    )
    return [row["name"] for row in rows]


async def delete_custom(tx: Transaction, tenant_id: TenantId, device_id: DeviceId, before: datetime) -> None:
    """Delete the values of a device that is gone."""
    await tx.execute(
        "delete from custom_samples where tenant_id = $1 and device_id = $2 and received_at <= $3",
        tenant_id,
        device_id,
        before,
    )


async def make_day_partition(tx: Transaction, table: str, day: date) -> None:
    await tx.execute("select make_day_partition($1, $2)", table, day)


async def drop_day_partitions(tx: Transaction, table: str, before: datetime, limit: int) -> int:
    return cast(int, await tx.fetchval("select drop_day_partitions($1, $2, $3)", table, before, limit))


async def delete_samples(tx: Transaction, tenant_id: TenantId, device_id: DeviceId, before: datetime) -> int:
    """Delete what a device that is gone has sent until `before`; answers how many rows."""
    done = await tx.execute(
        "delete from system_samples where tenant_id = $1 and device_id = $2 and received_at <= $3",
        tenant_id,
        device_id,
        before,
    )
    return int(done.rpartition(" ")[2])


async def make_partition(tx: Transaction, day: date) -> None:
    await tx.execute("select make_sample_partition($1)", day)


async def drop_partitions(tx: Transaction, before: datetime, limit: int) -> int:
    return cast(int, await tx.fetchval("select drop_sample_partitions($1, $2)", before, limit))
