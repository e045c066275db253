"""The SQL of one organization's old rows. Tables and columns are those of sweep.TABLES, nothing else."""

from datetime import datetime

from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.ids import TenantId


async def select_oldest(
    tx: Transaction, table: str, column: str, tenant_id: TenantId, before: datetime
) -> datetime | None:
    """The time of an organization's oldest row before `before`."""
    return await tx.fetchval(
        f"select min({column}) from {table} where tenant_id = $1 and {column} < $2",  # noqa: S608 - see above
        tenant_id,
        before,
    )


async def delete_between(
    tx: Transaction, table: str, column: str, tenant_id: TenantId, start: datetime, end: datetime
) -> int:
    """Delete an organization's rows of [start, end); answers how many."""
    done = await tx.execute(
        f"delete from {table} where tenant_id = $1 and {column} >= $2 and {column} < $3",  # noqa: S608 - see above
        tenant_id,
        start,
        end,
    )
    return int(done.rpartition(" ")[2])
