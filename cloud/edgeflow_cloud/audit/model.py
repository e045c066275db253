"""What an audit entry is, how lists are narrowed, and what a verification can find. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from edgeflow_cloud.kernel.ids import AuditId, TenantId

SUCCESS, FAILURE = "success", "failure"
"""The two values of an entry's `status`: the change was made, or it was refused or failed."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: `kind` user, api_key, device or system; `id` as on the wire (`usr_…`)."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as people read it. `user_id` is None when a program, a device or the platform did it."""

    id: AuditId
    organization_id: TenantId
    user_id: str | None
    actor: Actor
    action: str
    resource_type: str
    resource_id: str
    status: str
    old_values: Mapping[str, object] | None
    new_values: Mapping[str, object] | None
    ip_address: str | None
    user_agent: str | None
    timestamp: datetime
    sequence: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which entries. `action` may end in `*` (`device.*`); `start` is inclusive, `end` exclusive."""

    actor_id: str | None = None
    action: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    status: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def whole_action(self) -> str | None:
        """The action to be met exactly, None when there is none or only its beginning is given."""
        return None if self.action is None or self.action.endswith("*") else self.action

    @property
    def action_prefix(self) -> str | None:
        """What the action must begin with, None when it is given whole or not at all."""
        return self.action[:-1] if self.action is not None and self.action.endswith("*") else None


class Flaw(StrEnum):
    """What can be wrong with a log."""

    SEAL_MISSING = "seal_missing"
    ENTRY_MISSING = "entry_missing"
    ENTRY_CHANGED = "entry_changed"
    LINK_BROKEN = "link_broken"
    FORMAT_UNKNOWN = "format_unknown"
    ENTRY_UNSEALED = "entry_unsealed"
    CHECKPOINT_FORGED = "checkpoint_forged"
    CHECKPOINT_CONTRADICTED = "checkpoint_contradicted"
    CHECKPOINT_MISSING = "checkpoint_missing"
    TRUNCATED = "truncated"
    FILE_CHANGED = "file_changed"
    FILE_INCOMPLETE = "file_incomplete"


@dataclass(frozen=True, slots=True)
class Break:
    """Where and how a log is not what it was. `sequence` is None where no seal is concerned."""

    flaw: Flaw
    message: str
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What an online verification found.

    `complete` is False when the time was up before the chain's end: go on with `after` = `verified_to`. `ok` says
    that nothing was broken in what was walked. `unsealed` counts entries that wait for their seal.
    """

    ok: bool
    complete: bool
    broken: Break | None
    verified_from: int
    verified_to: int
    head: str
    unsealed: int
    last_checkpoint: int | None
    checkpoints: int
    key_ids: tuple[str, ...] = ()
