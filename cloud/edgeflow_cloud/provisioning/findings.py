"""What provisioning has to say of one device: may its box show its code again, and did it come after it was let in?"""

from collections.abc import Sequence
from datetime import datetime

from edgeflow_cloud.devices import Device
from edgeflow_cloud.explanations import Finding, State
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.provisioning.model import ProvisioningCode
from edgeflow_cloud.provisioning.service import find_code_of

TOPIC = "provisioning"


async def explain_code(
    tx: Transaction, principal: Principal, device: Device, now: datetime
) -> Sequence[Finding]:
    """Nothing for a device without a code. Else whether its box may show the code again and until when, and before that
    that it was let in and never came.
    """
    code = await find_code_of(tx, principal, device.device_id)
    if code is None:
        return []
    findings: list[Finding] = []
    if device.last_seen_at is None:
        findings.append(_never_came(code))
    if code.hardware_key is not None:
        ends_at = code.reclaim_ends_at(device.negotiated_at)
        if ends_at is None or now < ends_at:
            findings.append(_may_reclaim(code, ends_at))
    return findings


def _never_came(code: ProvisioningCode) -> Finding:
    again = (
        "It named no MAC address, so it cannot show its code again: if its key is lost, delete this device and make a "
        "new code."
        if code.hardware_key is None
        else "Restart it, and see that it reaches this server: `edgeflow-agent doctor` on the device says what stands "
        "in the way. If it was a try, delete this device."
    )
    return Finding(
        topic=TOPIC,
        state=State.PROBLEM,
        title="It was let in and never came",
        detail=f"The code that ends in {code.hint} was used for this device, which has not connected since. {again}",
        code="provisioned_never_connected",
        since=code.used_at,
    )


def _may_reclaim(code: ProvisioningCode, ends_at: datetime | None) -> Finding:
    until = (
        "There is no end to that: its software forgets its key, or has not connected yet."
        if ends_at is None
        else f"That ends at {ends_at:%Y-%m-%d %H:%M:%S} UTC; then it needs its key, or a new code."
    )
    return Finding(
        topic=TOPIC,
        state=State.OK,
        title="Its box may show its code again",
        detail=f"When the same hardware shows the code that ends in {code.hint}, it gets this device back with a new "
        f"key, and the old key ends. {until} Delete the code to end it now.",
        code="reclaim_window_open",
        since=code.used_at,
    )
