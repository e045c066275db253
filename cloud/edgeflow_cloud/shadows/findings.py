"""What shadows have to say of one device: is it in step, and if not, which settings are waited for and why."""

from collections.abc import Sequence
from datetime import datetime

from edgeflow_cloud.devices import Device, Status
from edgeflow_cloud.explanations import Finding, State
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.shadows.service import find_shadow

TOPIC = "shadow"
_SHOWN = 5


async def explain_shadow(
    tx: Transaction, principal: Principal, device: Device, now: datetime
) -> Sequence[Finding]:
    """One finding: in step, away with settings that it will find on its return, or online and not following."""
    shadow = await find_shadow(tx, principal, device.device_id)
    missing = sorted(shadow.delta)
    if not missing:
        said = (
            "Nothing is wanted of it yet." if not shadow.desired else "It reports all that is wanted of it."
        )
        return [Finding(topic=TOPIC, state=State.OK, title="In sync", detail=said, code="shadow_in_sync")]
    named = ", ".join(missing[:_SHOWN]) + (" and others" if len(missing) > _SHOWN else "")
    if device.status is Status.OFFLINE:
        return [
            Finding(
                topic=TOPIC,
                state=State.WAITING,
                title="Settings wait for its return",
                detail=f"It does not report what is wanted of {named}; it gets that when it connects.",
                code="shadow_waits",
                since=shadow.updated_at,
            )
        ]
    return [
        Finding(
            topic=TOPIC,
            state=State.PROBLEM,
            title="Not in sync",
            detail=f"It is online and does not report what is wanted of {named}. Give it a moment after a change; then "
            "look at its logs, or take back what it cannot do.",
            code="shadow_not_in_sync",
            since=shadow.updated_at,
        )
    ]
