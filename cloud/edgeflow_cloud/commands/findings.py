"""What commands have to say of one device: what waits for it, what is under way, what is not known."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from edgeflow_cloud.commands import queries
from edgeflow_cloud.commands.model import NEARLY_FULL, QUEUE_LIMIT
from edgeflow_cloud.devices import Device, Status
from edgeflow_cloud.explanations import Finding, State
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.principal import Principal

TOPIC = "commands"
LOOKED_BACK = timedelta(days=1)


async def explain_commands(
    tx: Transaction, principal: Principal, device: Device, now: datetime
) -> Sequence[Finding]:
    """What waits, what is under way, and what became unknown in the last day; one finding when there is nothing."""
    found = await queries.summarize(tx, principal.tenant_id, device.device_id, now - LOOKED_BACK)
    findings: list[Finding] = []
    if found["queued"]:
        findings.append(
            _waiting(
                found["queued"], found["queued_since"], found["expires_at"], device.status is Status.ONLINE
            )
        )
    if found["sent"]:
        findings.append(
            Finding(
                topic=TOPIC,
                state=State.WAITING,
                title=f"{_count(found['sent'])} under way",
                detail="Sent, and the device has not answered yet. Each ends by its timeout at the latest.",
                code="commands_under_way",
                since=found["sent_since"],
            )
        )
    if found["unknown"]:
        findings.append(
            Finding(
                topic=TOPIC,
                state=State.PROBLEM,
                title=f"What became of {_count(found['unknown'])} is not known",
                detail="They were sent in the last day and no answer was heard, so the device may have done them. Look "
                "at the device before you send them again.",
                code="commands_unknown",
                since=found["unknown_at"],
            )
        )
    return findings or [
        Finding(
            topic=TOPIC,
            state=State.OK,
            title="No command waits",
            detail="Everything that the device was asked has been answered.",
            code="commands_settled",
        )
    ]


def _waiting(queued: int, since: datetime, expires_at: datetime, online: bool) -> Finding:
    until = f"{expires_at:%Y-%m-%d %H:%M} UTC"
    if queued >= NEARLY_FULL:
        state, code = State.PROBLEM, "command_queue_nearly_full"
        detail = f"At {QUEUE_LIMIT} no more are taken. Cancel those that nobody needs; the first expires at {until}."
    elif online:
        state, code = State.WAITING, "commands_queued"
        detail = "They are sent one after another as the device answers those before them."
    else:
        state, code = State.WAITING, "commands_wait_for_return"
        detail = f"They are sent in their order when the device connects. The first expires at {until}."
    return Finding(
        topic=TOPIC,
        state=state,
        title=f"{_count(queued)} in the queue",
        detail=detail,
        code=code,
        since=since,
    )


def _count(number: int) -> str:
    return "1 command" if number == 1 else f"{number} commands"
