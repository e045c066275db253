"""Routes of `explain`."""

from datetime import datetime

from pydantic import Field

from edgeflow_cloud import devices
from edgeflow_cloud.explanations import service
from edgeflow_cloud.explanations.findings import State
from edgeflow_cloud.infra.http import Caller, Ctx, Document, Router, Tx
from edgeflow_cloud.kernel.ids import DeviceIdField

router = Router(tag="devices")


class FindingDocument(Document):
    """One thing that is so; `code` never changes, `detail` says what to do."""

    topic: str
    state: State
    title: str
    detail: str
    since: datetime | None = Field(None, exclude_if=lambda value: value is None)
    code: str


class Explanation(Document):
    """Why the device is as it is, what needs somebody first."""

    device_id: DeviceIdField
    findings: list[FindingDocument]


@router.get("/devices/{device_id}/explain", "devices:view")
async def explain_device(tx: Tx, caller: Caller, context: Ctx, device_id: DeviceIdField) -> Explanation:
    """Why a device is as it is: connected or not and since when, what its shadow lacks, what waits for it."""
    device = await devices.find_device(tx, caller, device_id)
    found = await service.explain(tx, caller, device, context.clock.now())
    return Explanation(device_id=device_id, findings=[FindingDocument.model_validate(item) for item in found])
