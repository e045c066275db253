"""Every frame of the tunnel, both ways, as frozen types. `type` is the tag and the wire's name of the frame.

Absent, null and empty are the same on the wire: an empty field is left out when written, and reads as its
default. Unknown fields are ignored. `timestamp` is the sender's claim in RFC 3339 (see `clock.parse_time`);
nothing depends on it.
Frames marked "negotiated" are only exchanged with a device whose `connect` named the capability.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from .reports import MAX_EVENTS, MAX_LINES, Event, LogLine
from .telemetry import Sample

SUCCESS = "success"
ERROR = "error"

Sequence = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
BootId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
FrameId = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Frame(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """What all frames are: one JSON object with a `type`."""


# --- both ways


class Ping(Frame, frozen=True, tag="ping"):
    """A heartbeat, by default every 30 s; answered by `pong`."""

    timestamp: str = ""


class Pong(Frame, frozen=True, tag="pong"):
    """The answer to a `ping`."""

    timestamp: str = ""


class Command(Frame, frozen=True, tag="command"):
    """A request by either side, answered by a `response` with the same `id`."""

    id: str = ""
    action: str = ""
    payload: dict[str, object] = {}
    timestamp: str = ""


class Response(Frame, frozen=True, tag="response"):
    """The answer to a command: `status` is `success` (with `data`) or `error` (with a text for people)."""

    id: str = ""
    status: str = ""
    data: object = None
    error: str = ""
    timestamp: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the other side says that it did what was asked."""
        return self.status == SUCCESS


# --- device to cloud


class Connect(Frame, frozen=True, tag="connect"):
    """The first frame. Only a negotiating client sends `capabilities` and `boot_id` (new at each start)."""

    device_id: str = ""
    api_key: str = ""
    version: str = ""
    capabilities: list[str] = []
    boot_id: str = ""
    timestamp: str = ""


class Telemetry(Frame, frozen=True, tag="telemetry"):
    """Negotiated `telemetry`: one batch. `sequence` rises strictly within a `boot_id`; answered by `ack`."""

    boot_id: BootId
    sequence: Sequence
    samples: list[Sample] = []
    timestamp: str = ""


class Events(Frame, frozen=True, tag="events"):
    """Negotiated `events`: one batch of a run of its own numbers; answered by `ack` once it is stored."""

    boot_id: BootId
    sequence: Sequence
    events: Annotated[list[Event], msgspec.Meta(max_length=MAX_EVENTS)] = []
    timestamp: str = ""


class Logs(Frame, frozen=True, tag="logs"):
    """Negotiated `logs`: one batch of lines, with numbers of its own; answered by `ack` once it is stored."""

    boot_id: BootId
    sequence: Sequence
    lines: Annotated[list[LogLine], msgspec.Meta(max_length=MAX_LINES)] = []
    timestamp: str = ""


class ShadowReported(Frame, frozen=True, tag="shadow_reported"):
    """Negotiated `shadow`: merge into reported. Answer: `shadow_accepted`, or `error` with the same `id`."""

    id: FrameId
    reported: dict[str, object] = {}
    timestamp: str = ""


# --- cloud to device


class Connected(Frame, frozen=True, tag="connected"):
    """The device is in. All fields but `timestamp` only for a client that negotiated.

    `heartbeat_interval` in seconds; `epoch` numbers the device's connections and only rises.
    """

    session_id: str = ""
    epoch: int = 0
    heartbeat_interval: float = 0.0
    server_time: str = ""
    capabilities: list[str] = []
    timestamp: str = ""


class Error(Frame, frozen=True, tag="error"):
    """A refusal or complaint: `error` for people, `code` for programs, `retry_after` in seconds if it helps.

    `id` names the frame that it answers, if that had one.
    """

    error: str = ""
    code: str = ""
    id: str = ""
    retry_after: float = 0.0
    timestamp: str = ""


class Ack(Frame, frozen=True, tag="ack"):
    """`sequence` and all lower ones of `boot_id` are committed; or, with `error`, can never be: drop it."""

    frame: str = ""
    boot_id: str = ""
    sequence: int = 0
    error: str = ""
    timestamp: str = ""


class ShadowDesired(Frame, frozen=True, tag="shadow_desired"):
    """Negotiated `shadow`: desired as it now is, and those of its leaves that differ from reported."""

    version: int = 0
    desired: dict[str, object] = {}
    delta: dict[str, object] = {}
    timestamp: str = ""


class ShadowAccepted(Frame, frozen=True, tag="shadow_accepted"):
    """The `shadow_reported` with this `id` is committed; `version` and `delta` are the shadow's after it."""

    id: str = ""
    version: int = 0
    delta: dict[str, object] = {}
    timestamp: str = ""


class Drain(Frame, frozen=True, tag="drain"):
    """The hub is about to restart: reconnect at a random moment of the next `within` seconds."""

    within: float = 0.0
    timestamp: str = ""


DeviceFrame = Connect | Ping | Pong | Command | Response | Telemetry | Events | Logs | ShadowReported
"""What a device may send."""

CloudFrame = (
    Connected | Error | Ping | Pong | Command | Response | Ack | ShadowDesired | ShadowAccepted | Drain
)
"""What the cloud may send."""
