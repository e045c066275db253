"""Every SQL statement on samples and their cursors."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import cast

from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.telemetry.model import METRICS, Batch, Row, Window

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


async def move_cursors(tx: Transaction, positions: dict[Run, int]) -> None:
    """Set the positions of locked runs."""
    await tx.execute(
        """
        update telemetry_cursors c set last_sequence = moved.last_sequence, moved_at = now()
        from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[])
            moved (tenant_id, device_id, boot_id, last_sequence)
        where c.tenant_id = moved.tenant_id and c.device_id = moved.device_id and c.boot_id = moved.boot_id
        """,
        *_columns(list(positions)),
        list(positions.values()),
    )


def _columns(runs: Sequence[Run]) -> tuple[list[TenantId], list[DeviceId], list[str]]:
    return [run[0] for run in runs], [run[1] for run in runs], [run[2] for run in runs]


async def copy_samples(tx: Transaction, batches: Sequence[Batch]) -> None:
    """Write all rows of the batches in one COPY."""
    rows: list[Row] = [row for batch in batches for row in batch.rows]
    if rows:
        await tx.copy_records_to_table("system_samples", records=rows, columns=list(COLUMNS))


async def select_averages(
    tx: Transaction, device_id: DeviceId, window: Window, metrics: Sequence[str]
) -> dict[int, tuple[float | None, ...]]:
    """The average of each metric in each bucket that has samples. `metrics` are names of METRICS, nothing
    else.
    """
    averages = ", ".join(f"avg({METRICS[METRICS.index(name)]})::double precision" for name in metrics)
    rows = await tx.fetch(
        f"""
        select floor(extract(epoch from time) / $4)::bigint * $4, {averages}
        from device_samples
        where device_id = $1 and time >= $2 and time < $3
        group by 1
        """,  # noqa: S608 - the names come from METRICS
        device_id,
        window.start,
        window.end,
        window.step,
    )
    return {cast(int, row[0]): tuple(row)[1:] for row in rows}


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
