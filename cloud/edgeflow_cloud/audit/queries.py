"""Every SQL statement on `audit_entries`."""

from collections.abc import Mapping
from uuid import UUID

from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.ids import TenantId


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
