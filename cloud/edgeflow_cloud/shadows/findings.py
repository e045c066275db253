"""What shadows have to say of one device: is it in step, and if not, which settings are waited for and why."""

from collections.abc import Sequence
from datetime import datetime

from edgeflow_cloud.devices import Device, Status
from edgeflow_cloud.explanations import Finding, State
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.shadows.model import GPIO
from edgeflow_cloud.shadows.service import find_shadow

TOPIC = "shadow"
_SHOWN = 5


async def explain_shadow(
    tx: Transaction, principal: Principal, device: Device, now: datetime
) -> Sequence[Finding]:
    """In step, away with settings that it will find on its return, or online and not following; before that, that its
    software does not know what is wanted of its pins.
    """
    shadow = await find_shadow(tx, principal, device.device_id)
    missing = sorted(shadow.delta)
    if not missing:
        said = (
            "Nothing is wanted of it yet." if not shadow.desired else "It reports all that is wanted of it."
        )
        return [Finding(topic=TOPIC, state=State.OK, title="In sync", detail=said, code="shadow_in_sync")]
    unknown = [_unknown(shadow.updated_at)] if device.is_field_client and GPIO in missing else []
    if unknown and missing == [GPIO]:
        return unknown
    missing = [key for key in missing if not (unknown and key == GPIO)]
    named = ", ".join(missing[:_SHOWN]) + (" and others" if len(missing) > _SHOWN else "")
    if device.status is Status.OFFLINE:
        return [
            *unknown,
            Finding(
                topic=TOPIC,
                state=State.WAITING,
                title="Settings wait for its return",
                detail=f"It does not report what is wanted of {named}; it gets that when it connects.",
                code="shadow_waits",
                since=shadow.updated_at,
            ),
        ]
    return [
        *unknown,
        Finding(
            topic=TOPIC,
            state=State.PROBLEM,
            title="Not in sync",
            detail=f"It is online and does not report what is wanted of {named}. Give it a moment after a change; then "
            "look at its logs, or take back what it cannot do.",
            code="shadow_not_in_sync",
            since=shadow.updated_at,
        ),
    ]


def _unknown(since: datetime) -> Finding:
    return Finding(
        topic=TOPIC,
        state=State.PROBLEM,
        title="Its software does not set pins",
        detail="gpio_config was wanted before the device first connected, with software that does not know it and that "
        "will never report it. Update it to the EdgeFlow agent, or take gpio_config out of what is wanted.",
        code="gpio_config_not_supported",
        since=since,
    )
