"""HTTP bodies of provisioning."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from edgeflow_cloud.flow_keys import DeviceFlowKey
from edgeflow_cloud.infra.http import Body, Document
from edgeflow_cloud.kernel.ids import DeviceIdField, ProvisioningCodeIdField
from edgeflow_cloud.provisioning.model import LIFE_DEFAULT, LIFE_MAXIMUM, RECLAIM_WINDOW, CodeStatus

MINUTE = 60
COUNT_MAXIMUM = 200
Tag = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\s,\"]+$")]


class CreateCodes(Body):
    """What the devices that show these codes will be called, and how long the codes live."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=190)] | None = Field(
        None, description="The device's name, numbered with `count`. Without it the host name is used."
    )
    tags: Annotated[list[Tag], Field(max_length=50)] = Field(default_factory=list[Tag])
    expires_in: int = Field(
        int(LIFE_DEFAULT.total_seconds()),
        ge=MINUTE,
        le=int(LIFE_MAXIMUM.total_seconds()),
        description="Seconds until an unused code is worth nothing; a minute to 90 days.",
    )
    reclaim_window: int = Field(
        int(RECLAIM_WINDOW.total_seconds()),
        ge=0,
        le=int(RECLAIM_WINDOW.total_seconds()),
        description="For how many seconds after the device first negotiated capabilities the same hardware "
        "may show the code again.",
    )
    count: int = Field(1, ge=1, le=COUNT_MAXIMUM, description="How many codes; each makes one device.")


class CodeDocument(Document):
    """A code without its text."""

    id: ProvisioningCodeIdField
    hint: str = Field(description="The last four characters.")
    status: CodeStatus
    name: str | None
    tags: list[str]
    expires_at: datetime
    created_at: datetime
    used_at: datetime | None
    device_id: DeviceIdField | None = Field(description="The device that the code made.")


class CreatedCode(CodeDocument):
    """A new code with its text."""

    code: str = Field(description="Shown this once, like `PROV-A1B2-C3D4`. Give it to one device.")


class CreatedCodes(Document):
    """The new codes."""

    items: list[CreatedCode]


class ProvisionDevice(BaseModel):
    """What a device sends. Fields that we do not know are ignored, facts that we do not know are kept."""

    model_config = ConfigDict(extra="ignore")

    provisioning_code: str = Field(max_length=100)
    hardware_info: dict[str, object] | None = None
    network_info: dict[str, object] | None = None


class ProvisionedDevice(Document):
    """The device's credentials. There is no `expires_at`: these keys do not end by themselves."""

    device_id: DeviceIdField
    api_key: str
    flow_keys: list[DeviceFlowKey] | None = Field(
        None,
        exclude_if=lambda keys: keys is None,
        description="Only to a device of ours (`hardware_info.agent` is `edgeflow-agent`): the keys that it pins.",
    )
