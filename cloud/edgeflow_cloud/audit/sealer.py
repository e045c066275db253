"""The sealer: links every committed entry into its organization's chain within a second.

One transaction a batch takes what is visible and unsealed, the oldest ids first, and appends it. An entry whose
transaction was still open then is not visible, stays in `audit_unsealed` and comes into a later batch, behind what is
sealed already: none is lost, and nothing that is sealed ever moves. So the chain's order is the order in which entries
became visible here; `timestamp` says when each was made.

A transaction-wide advisory lock lets one sealer work at a time. A sealer that is killed loses its lock and its whole
batch; one that is paused in a transaction is ended by PostgreSQL after `infra.db.IDLE_LIMIT_MS`.
"""

import asyncio
from contextlib import suppress
from uuid import UUID

import asyncpg
import structlog
from prometheus_client import Counter

from edgeflow_cloud.audit import queries
from edgeflow_cloud.audit.chain import FORMAT, GENESIS, entry_text, seal
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Row
from edgeflow_cloud.infra.observability import REGISTRY
from edgeflow_cloud.kernel.errors import Unavailable
from edgeflow_cloud.kernel.ids import TenantId

log = structlog.get_logger("edgeflow.audit")
SEALED = Counter("edgeflow_audit_sealed_entries", "Audit entries linked into a chain.", registry=REGISTRY)

BATCH = 256  # entries a transaction: about 5 ms of hashing, and little to do again after a kill
POLL = 0.3  # seconds; half of what is promised is left for a busy machine
_PAUSE = 1.0


async def run_sealer(context: Context, stopping: asyncio.Event) -> None:
    """Seal until `stopping` is set."""
    while not stopping.is_set():
        pause = POLL
        try:
            if await seal_batch(context) == BATCH:
                pause = 0.0
        except (Unavailable, asyncpg.PostgresError, OSError) as error:
            log.warning("audit.sealer_interrupted", error=str(error) or type(error).__name__)
            pause = _PAUSE
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stopping.wait()


async def seal_batch(context: Context) -> int:
    """Seal up to BATCH entries; answers how many were taken from the queue. 0 when another sealer is at work."""
    async with context.db.system_tx("audit sealer") as tx:
        if not await queries.try_sealer_lock(tx):
            return 0
        rows = await queries.select_unsealed(tx, BATCH)
        fresh = [row for row in rows if not row["sealed"]]
        if fresh:
            tenants = sorted({TenantId(row["tenant_id"]) for row in fresh})
            found = await queries.select_heads(tx, tenants)
            heads = {TenantId(row["tenant_id"]): (int(row["sequence"]), bytes(row["hash"])) for row in found}
            seals = _link(fresh, heads)
            await queries.insert_seals(tx, seals, format=FORMAT)
            await queries.advance_chains(
                tx, {tenant: heads[tenant][0] for tenant in tenants}, context.clock.now()
            )
        if rows:
            await queries.delete_unsealed(tx, [(TenantId(row["tenant_id"]), row["id"]) for row in rows])
    SEALED.inc(len(fresh))
    return len(rows)


def _link(
    rows: list[Row], heads: dict[TenantId, tuple[int, bytes]]
) -> list[tuple[TenantId, int, UUID, bytes, bytes]]:
    """Append each row to its chain; `heads` moves along."""
    seals: list[tuple[TenantId, int, UUID, bytes, bytes]] = []
    for row in rows:
        tenant = TenantId(row["tenant_id"])
        sequence, previous = heads.get(tenant, (0, GENESIS))
        made = seal(previous, sequence + 1, entry_text(row))
        seals.append((tenant, sequence + 1, row["id"], previous, made))
        heads[tenant] = (sequence + 1, made)
    return seals
