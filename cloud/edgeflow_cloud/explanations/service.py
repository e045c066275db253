"""Why is a device as it is: everybody who knows something is asked."""

from collections.abc import Sequence
from datetime import datetime

from edgeflow_cloud.devices import Device, Status
from edgeflow_cloud.explanations.findings import FINDERS, Finding, State
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.principal import Principal

_ORDER = {State.PROBLEM: 0, State.WAITING: 1, State.OK: 2}


async def explain(tx: Transaction, principal: Principal, device: Device, now: datetime) -> list[Finding]:
    """What is so with the device, what needs somebody first."""
    found: list[Finding] = []
    for finder in FINDERS.all():
        found += await finder(tx, principal, device, now)
    return sorted(found, key=lambda item: _ORDER[item.state])


async def find_connection(
    tx: Transaction, principal: Principal, device: Device, now: datetime
) -> Sequence[Finding]:
    """Whether its tunnel is open, and since when."""
    if device.status is Status.ONLINE:
        return [
            Finding(
                topic="connection",
                state=State.OK,
                title="Online",
                detail=f"Its tunnel has been open since {_said(device.connected_at)}.",
                code="connected",
                since=device.connected_at,
            )
        ]
    if device.last_seen_at is None:
        return [
            Finding(
                topic="connection",
                state=State.PROBLEM,
                title="Has never connected",
                detail="Start its agent with this device's id and key, or with a provisioning code; "
                "`edgeflow-agent doctor` on the device says what stands in the way.",
                code="never_connected",
                since=device.created_at,
            )
        ]
    return [
        Finding(
            topic="connection",
            state=State.PROBLEM,
            title="Offline",
            detail=f"Nothing was heard of it since {_said(device.last_seen_at)}. See that it has power and network; "
            "`edgeflow-agent doctor` on the device says what stands in the way.",
            code="offline",
            since=device.last_seen_at,
        )
    ]


def _said(time: datetime | None) -> str:
    return "a moment ago" if time is None else f"{time:%Y-%m-%d %H:%M:%S} UTC"
