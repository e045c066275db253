"""A command, its states, and what may follow what. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import cast

import msgspec

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict, Invalid, NotFound, TooMany
from edgeflow_cloud.kernel.ids import CommandId, DeviceId, TenantId

QUEUE_LIMIT = 1_000
NEARLY_FULL = QUEUE_LIMIT - 200
"""From here on those who add to a queue do it one after another, so that none gets past the limit."""

TIMEOUT_DEFAULT, TIMEOUT_MAXIMUM = 30.0, 600.0
TTL_MAXIMUM = 30 * 86_400
WAIT_DEFAULT, WAIT_MAXIMUM = 10.0, 60.0
PAYLOAD_LIMIT = 192 * 1024
ERROR_LIMIT = 4_000
SETTLE_SECONDS = 20.0
"""A field client reads nothing for so long after `connected`: its first command waits so much longer."""

SLACK_SECONDS = 30.0
"""How much later than its timeout the sweep gives a sent command up: its hub, while it lives, is first."""


class CommandStatus(StrEnum):
    """Where a command is. The last five are final; a command gets exactly one of them."""

    QUEUED = "queued"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


_FOLLOWS: Mapping[CommandStatus, frozenset[CommandStatus]] = {
    CommandStatus.QUEUED: frozenset(
        {CommandStatus.SENT, CommandStatus.FAILED, CommandStatus.EXPIRED, CommandStatus.CANCELLED}
    ),
    # Back to queued only while it is certain that no byte of it reached the device.
    CommandStatus.SENT: frozenset(
        {CommandStatus.QUEUED, CommandStatus.DONE, CommandStatus.FAILED, CommandStatus.UNKNOWN}
    ),
    CommandStatus.DONE: frozenset(),
    CommandStatus.FAILED: frozenset(),
    CommandStatus.EXPIRED: frozenset(),
    CommandStatus.CANCELLED: frozenset(),
    CommandStatus.UNKNOWN: frozenset(),
}
FINAL = frozenset(status for status, following in _FOLLOWS.items() if not following)


def may_follow(status: CommandStatus, following: CommandStatus) -> bool:
    """Whether a command in `status` may move to `following`."""
    return following in _FOLLOWS[status]


def sources(status: CommandStatus) -> list[str]:
    """The states from which `status` may be reached: the condition of the UPDATE that moves there."""
    return [source.value for source, following in _FOLLOWS.items() if status in following]


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """One command with what came back. `payload` and `result` are what was sent and answered, unchanged.

    `timeout` in seconds counts from `sent_at`; `epoch` is that of the connection it was sent on.
    `cancel_requested_at`: somebody wanted it back when it was on its way already.
    `truncated`: payload or result were too long for a list.
    """

    tenant_id: TenantId
    id: CommandId
    device_id: DeviceId
    action: str
    payload: dict[str, object]
    status: CommandStatus
    result: object
    error: str | None
    timeout: float
    keep: bool
    created_by: str
    created_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    finished_at: datetime | None
    waiter: str | None = None
    epoch: int | None = None
    cancel_requested_at: datetime | None = None
    truncated: bool = False

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in FINAL

    @property
    def wire_id(self) -> str:
        """`cmd_…`: by it the device answers, and knows a command that it has done before."""
        return ids.encode(ids.COMMAND, self.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What somebody asks a device to do. Without `ttl` (seconds) it is refused when the device is away."""

    device_id: DeviceId
    action: str
    payload: dict[str, object]
    timeout: float = TIMEOUT_DEFAULT
    ttl: float | None = None
    idempotency_key: str | None = None

    def expires_at(self, now: datetime) -> datetime:
        """Until when it may still be sent: its `ttl`, or for as long as it may take once sent."""
        return now + timedelta(seconds=self.timeout if self.ttl is None else self.ttl)


class DeviceOffline(Conflict):
    """The device is away and the command was not to be kept."""

    code, title = "device_offline", "Device offline"

    def __init__(self, last_seen_at: datetime | None = None) -> None:
        super().__init__(
            "The device is not connected, so nothing was sent. Try again when it is online, or give `ttl` "
            "(seconds) to keep the command for its return.",
            extra={"last_seen_at": last_seen_at.isoformat() if last_seen_at else None},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Which of a device's commands: in `status`, with `action`, given from `since` until before `until`."""

    status: CommandStatus | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class NotQueued(Conflict):
    """What has its final state keeps it."""

    code = "command_not_queued"

    def __init__(self, status: CommandStatus) -> None:
        super().__init__(
            f"This command is already {status.value}, so it cannot be cancelled any more.",
            extra={"command_status": status.value},
        )


def queue_full() -> TooMany:
    """So many commands wait for one device that another would only be late."""
    return TooMany(
        f"{QUEUE_LIMIT} commands already wait for this device. Let it work through them, or cancel some.",
        retry_after=30,
        code="command_queue_full",
    )


def no_such_command() -> NotFound:
    """The one answer for a missing command and for somebody else's."""
    return NotFound("There is no such command in this organization.", code="command_not_found")


def check_payload(payload: Mapping[str, object]) -> None:
    """Refuse what cannot be sent as one frame: too long, or no JSON. Raises Invalid."""
    if _holds_no_number(payload):
        raise Invalid("payload: JSON carries no NaN and no infinity.", code="payload_not_json")
    try:
        size = len(msgspec.json.encode(payload))
    except (ValueError, TypeError, OverflowError) as error:
        raise Invalid(f"payload: this cannot be sent as JSON ({error}).", code="payload_not_json") from None
    if size > PAYLOAD_LIMIT:
        raise Invalid(
            f"payload: it has {size} bytes; at most {PAYLOAD_LIMIT} fit into one command. Send less at once.",
            code="payload_too_large",
        )


def _holds_no_number(value: object) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, Mapping):
        return any(_holds_no_number(item) for item in cast(Mapping[str, object], value).values())
    return isinstance(value, list) and any(_holds_no_number(item) for item in cast(list[object], value))
