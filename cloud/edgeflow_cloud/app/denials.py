"""Calls that were refused for want of a permission, in the audit log."""

from edgeflow_cloud import audit
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.principal import Principal


async def record_denial(context: Context, principal: Principal, permission: str, call: str) -> None:
    """`security.permission_denied`. The refusal itself stands, whether or not it could be noted."""
    await audit.record_refusal(
        context,
        principal,
        "security.permission_denied",
        "permission",
        permission,
        reason={"call": call[:300]},
    )
