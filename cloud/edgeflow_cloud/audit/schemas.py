"""HTTP bodies of the audit log."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from edgeflow_cloud.audit.model import Flaw
from edgeflow_cloud.infra.http import Document, Listing
from edgeflow_cloud.kernel.ids import AuditIdField, TenantIdField

Word = Annotated[str, StringConstraints(max_length=200)]
ActionName = Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z0-9_.]+\*?$")]


class ActorDocument(Document):
    """Who did it."""

    kind: Literal["user", "api_key", "device", "system"]
    id: str = Field(description="`usr_…`, `key_…`, `dev_…`, `sys_…`.")


class AuditEntryDocument(Document):
    """One entry. It is never changed; `sequence` is its place in the chain, null until it is sealed."""

    id: AuditIdField
    organization_id: TenantIdField
    user_id: str | None = Field(description="Null when a program, a device or the platform did it.")
    actor: ActorDocument
    action: str
    resource_type: str
    resource_id: str
    status: str = Field(description="`success`, or `failure` for what was refused or failed.")
    old_values: dict[str, object] | None
    new_values: dict[str, object] | None
    ip_address: str | None
    user_agent: str | None
    timestamp: datetime
    sequence: int | None


class CheckpointDocument(Document):
    """A signed statement that seal number `sequence` has this hash."""

    sequence: int
    hash: str
    previous_sequence: int | None
    made_at: datetime
    key_id: str
    document: str = Field(description="The text that was signed, byte by byte.")
    signature: str = Field(description="Ed25519, in base64.")
    object_key: str = Field(description="Where it lies in the object store.")


class CheckpointListing(Listing[CheckpointDocument]):
    """Checkpoints, and the keys that they are verified with."""

    keys: dict[str, str] = Field(description="Public keys in PEM by their id. Keep a copy elsewhere.")


class BreakDocument(Document):
    """What is not as it was."""

    flaw: Flaw
    message: str
    sequence: int | None


class VerificationDocument(Document):
    """What a verification found. `ok` speaks of the seals from `verified_from` + 1 to `verified_to`."""

    ok: bool
    complete: bool = Field(description="False: the time was up. Go on with `after` = `verified_to`.")
    broken: BreakDocument | None
    verified_from: int
    verified_to: int
    head: str = Field(description="Hash of the last seal that was verified.")
    unsealed: int = Field(description="Entries that wait for their seal, usually for less than a second.")
    checkpoints: int = Field(description="How many signed checkpoints were met on the way.")
    last_checkpoint: int | None = Field(description="The seal that the last of them names.")
    key_ids: list[str]
