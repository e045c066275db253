"""HTTP bodies of provisioning."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from edgeflow_cloud.flow_keys import DeviceFlowKey
from edgeflow_cloud.infra.http import Body, Document
from edgeflow_cloud.kernel.ids import (
    BatchIdField,
    DeviceIdField,
    GroupIdField,
    ProjectIdField,
    ProvisioningCodeIdField,
)
from edgeflow_cloud.provisioning.model import LIFE_DEFAULT, LIFE_MAXIMUM, RECLAIM_WINDOW, CodeStatus

MINUTE = 60
HOUR = 3600
COUNT_MAXIMUM = 1_000
Tag = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\s,\"]+$")]


class CreateCodes(Body):
    """What the devices that show these codes will be called, and how long the codes live."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=190)] | None = Field(
        None,
        description="The device's name. `{n}` becomes its number in the batch, `{nnn}` with zeros before it, `007`; "
        "with `count` and no such place the number comes last. Without a name the host name is used.",
    )
    tags: Annotated[list[Tag], Field(max_length=50)] = Field(default_factory=list[Tag])
    expires_in: int = Field(
        int(LIFE_DEFAULT.total_seconds()),
        ge=MINUTE,
        le=int(LIFE_MAXIMUM.total_seconds()),
        description="Seconds until an unused code is worth nothing; a minute to 90 days.",
    )
    project_id: ProjectIdField | None = Field(None, description="The devices' project.")
    group_id: GroupIdField | None = Field(None, description="A fixed group that the devices come into.")
    reclaim_hours: float = Field(
        RECLAIM_WINDOW.total_seconds() / HOUR,
        ge=0,
        le=RECLAIM_WINDOW.total_seconds() / HOUR,
        description="For how many hours after the device first negotiated capabilities the same hardware may show the "
        "code again; a field client never does, and may show it whenever it starts.",
    )
    count: int = Field(1, ge=1, le=COUNT_MAXIMUM, description="How many codes; each makes one device.")


class CodeDocument(Document):
    """A code without its text."""

    id: ProvisioningCodeIdField
    hint: str = Field(description="The last four characters.")
    status: CodeStatus
    name: str | None
    tags: list[str]
    project_id: ProjectIdField | None
    group_id: GroupIdField | None
    batch_id: BatchIdField | None = Field(
        description="What was made together has the same; null for a code made alone."
    )
    expires_at: datetime
    created_at: datetime
    used_at: datetime | None
    device_id: DeviceIdField | None = Field(description="The device that the code made.")


class CreatedCode(CodeDocument):
    """A new code with its text."""

    code: str = Field(description="Shown this once, like `PROV-A1B2-C3D4`. Give it to one device.")
    claim_url: str = Field(description="What its QR label holds: the console's page with the code filled in.")
    claim_text: str = Field(
        description="What is printed beside the QR: code, name and `host:port`, a line each."
    )


class CreatedCodes(Document):
    """The new codes. The CSV and the labels are made of this answer: nobody can ask for the codes later."""

    batch_id: BatchIdField | None
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


class RevokedCodes(Document):
    """How many unused codes of the batch are gone."""

    revoked: int


class ReleasedDevice(Document):
    """How the next organization claims the device. `code` is shown this once; null: by the code that it came with."""

    device_id: DeviceIdField
    hint: str = Field(description="The last four characters of the code that it waits under.")
    code: str | None
    claimable_until: datetime


class ClaimDevice(Body):
    """A device that another organization released."""

    code: str = Field(max_length=100)
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    tags: Annotated[list[Tag], Field(max_length=50)] = Field(default_factory=list[Tag])
    project_id: ProjectIdField | None = None


class ClaimedDevice(Document):
    """The device in this organization, under a new id."""

    device_id: DeviceIdField
    name: str
    api_key: str = Field(
        description="Shown this once, for hardware that cannot show its code again. Once it does, it gets a fresh one, "
        "and this one dies."
    )
