"""The SQL of the newest values for a scrape."""

from datetime import datetime

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import TenantId


async def select_newest(tx: Transaction, tenant_id: TenantId, since: datetime, limit: int) -> list[Row]:
    """Newest values of devices that measured after `since`, by their ids."""
    return await tx.fetch(
        """
        select device_id, cpu_percent, memory_percent, temperature_celsius, disk_percent, load_1, uptime_seconds,
            custom
        from device_latest_metrics
        where tenant_id = $1 and time >= $2
        order by device_id
        limit $3
        """,
        tenant_id,
        since,
        limit,
    )


async def count_series(tx: Transaction, tenant_id: TenantId, since: datetime) -> int:
    """How many values these devices have together."""
    found = await tx.fetchval(
        """
        select coalesce(sum(num_nonnulls(cpu_percent, memory_percent, temperature_celsius, disk_percent, load_1,
            uptime_seconds) + (select count(*) from jsonb_object_keys(custom))), 0)::bigint
        from device_latest_metrics
        where tenant_id = $1 and time >= $2
        """,
        tenant_id,
        since,
    )
    return int(found)
