"""Refused attempts in the audit log: in a transaction of their own, and not more than a few a minute and caller."""

from typing import Final

import asyncpg
import structlog

from edgeflow_cloud import audit
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.limits import Limit
from edgeflow_cloud.kernel.errors import Problem
from edgeflow_cloud.kernel.principal import Principal

log = structlog.get_logger("edgeflow.http")

_KEPT: Final = Limit("denials", 10, 60)
"""Entries a minute and caller: enough to see an attempt, too few to fill the log."""


async def record_denial(context: Context, principal: Principal, permission: str, call: str) -> None:
    """`security.permission_denied`. The refusal itself stands, whether or not it could be noted."""
    allowance = await context.limits.take(_KEPT, principal.wire_id)
    if not allowance.allowed:
        return
    try:
        async with context.db.tenant_tx(principal) as tx:
            await audit.record(
                tx,
                principal,
                "security.permission_denied",
                "permission",
                permission,
                new={"call": call[:300]},
                status="failure",
            )
    except (Problem, asyncpg.PostgresError) as error:
        log.warning("denial.not_noted", call=call[:300], error=str(error))
