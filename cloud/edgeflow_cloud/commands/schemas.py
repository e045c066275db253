"""HTTP bodies of commands."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from edgeflow_cloud.commands.model import TIMEOUT_DEFAULT, TIMEOUT_MAXIMUM, TTL_MAXIMUM, CommandStatus
from edgeflow_cloud.infra.http import Body, Document
from edgeflow_cloud.kernel.ids import CommandIdField, DeviceIdField


class CreateCommand(Body):
    """What the device shall do."""

    action: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.:/-]{0,99}$")] = Field(
        description="The command's name, like `health_check`."
    )
    payload: dict[str, object] = Field(
        default_factory=dict[str, object], description="Its arguments; at most 192 KiB as JSON."
    )
    timeout: float = Field(
        TIMEOUT_DEFAULT,
        ge=1,
        le=TIMEOUT_MAXIMUM,
        description="Seconds for the answer, once it is sent.",
    )
    ttl: float | None = Field(
        None, ge=1, le=TTL_MAXIMUM, description="Seconds for which it is kept for a device that is away."
    )


class CommandDocument(Document):
    """A command and what became of it."""

    id: CommandIdField
    device_id: DeviceIdField
    action: str
    payload: dict[str, object]
    status: CommandStatus = Field(
        description="`queued`, `sent`, or one of the final: `done`, `failed` (nothing more will come), "
        "`expired` and `cancelled` (never sent), `unknown` (sent, but no answer was heard: it may have been "
        "done)."
    )
    result: object = Field(description="What the device answered, unchanged.")
    error: str | None
    timeout: float
    expires_at: datetime = Field(description="A command that is still queued then is not sent any more.")
    created_by: str = Field(description="Who gave it: `usr_…`, `key_…`, or the platform.")
    created_by_name: str | None = Field(None, description="What they are called, while they are here.")
    created_at: datetime
    sent_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None = Field(
        description="Somebody wanted it back when it was on its way already: it is not sent again; what the device "
        "says of it still counts."
    )
    truncated: bool = Field(description="In lists: payload or result were too long and are left out.")
