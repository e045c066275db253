"""Every SQL statement on `idempotency_keys`."""

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import TenantId

DELETE_OLD_IDEMPOTENCY_KEYS = """
delete from idempotency_keys where (tenant_id, caller, key) in (
    select tenant_id, caller, key from idempotency_keys where created_at < $1 order by created_at limit $2
)"""


async def insert_idempotency_key(
    tx: Transaction, tenant_id: TenantId, caller: str, key: str, fingerprint: bytes
) -> bool:
    """True when the key is new. Waits for a parallel transaction that holds the same key."""
    return (
        await tx.fetchval(
            """
            insert into idempotency_keys (tenant_id, caller, key, fingerprint)
            values ($1, $2, $3, $4)
            on conflict (tenant_id, caller, key) do nothing
            returning true
            """,
            tenant_id,
            caller,
            key,
            fingerprint,
        )
        is True
    )


async def select_idempotency_key(tx: Transaction, tenant_id: TenantId, caller: str, key: str) -> Row | None:
    return await tx.fetchrow(
        """
        select fingerprint, status, body from idempotency_keys
        where tenant_id = $1 and caller = $2 and key = $3
        """,
        tenant_id,
        caller,
        key,
    )


async def update_idempotency_key(
    tx: Transaction, tenant_id: TenantId, caller: str, key: str, status: int, body: bytes
) -> None:
    await tx.execute(
        """
        update idempotency_keys set status = $4, body = $5
        where tenant_id = $1 and caller = $2 and key = $3
        """,
        tenant_id,
        caller,
        key,
        status,
        body,
    )
