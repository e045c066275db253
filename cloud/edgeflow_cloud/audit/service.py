"""Recording a change."""

from collections.abc import Mapping

from edgeflow_cloud.audit import queries
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Principal


async def record(
    tx: Transaction,
    principal: Principal,
    action: str,
    resource_type: str,
    resource_id: str,
    *,
    old: Mapping[str, object] | None = None,
    new: Mapping[str, object] | None = None,
    status: str = "success",
) -> None:
    """Write one entry. `action` is `noun.verb` as published; `old` and `new` hold JSON values and never a secret."""
    await queries.insert_entry(
        tx,
        tenant_id=principal.tenant_id,
        entry_id=ids.new(),
        actor_kind=principal.kind.value,
        actor_id=principal.wire_id,
        action=action,
        resource_type=resource_type,
        resource_id=resource_id,
        status=status,
        old_values=old,
        new_values=new,
        ip_address=principal.ip_address,
        user_agent=principal.user_agent,
    )
