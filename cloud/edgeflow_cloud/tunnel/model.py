"""What the hub and those who speak to devices through it agree on. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edgeflow_protocol.closing import CloseCode


class Refused(StrEnum):
    """The `code` of an `error` frame that is followed by a close. Stable."""

    BAD_CREDENTIALS = "bad_credentials"
    AUTHENTICATION_TIMEOUT = "authentication_timeout"
    NOT_CONNECTED = "not_connected"
    REPLACED = "replaced"
    GIVEN_UP = "given_up"
    CLONE_SUSPECTED = "clone_suspected"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    RATE_LIMITED = "rate_limited"
    NO_HEARTBEAT = "no_heartbeat"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    REMOVED = "device_removed"
    KEY_REVOKED = "key_revoked"
    SUSPENDED = "organization_closed"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a connection ends: told to the device in an `error` frame, then the close `code`."""

    close: CloseCode
    code: str
    sentence: str
    retry_after: float = 0.0


BAD_CREDENTIALS = Refusal(
    CloseCode.BAD_CREDENTIALS,
    Refused.BAD_CREDENTIALS,
    "Unknown device or wrong key. Provision the device again, or give it its current key.",
)
AUTHENTICATION_TIMEOUT = Refusal(
    CloseCode.AUTHENTICATION_TIMEOUT,
    Refused.AUTHENTICATION_TIMEOUT,
    "No `connect` frame came within 10 seconds.",
)
NOT_CONNECTED = Refusal(
    CloseCode.POLICY, Refused.NOT_CONNECTED, "Send `connect` first, and wait for `connected`."
)
REPLACED = Refusal(
    CloseCode.REPLACED,
    Refused.REPLACED,
    "A newer connection of this device took over. If that was not this device, its key is in use twice.",
)
GIVEN_UP = Refusal(
    CloseCode.RESTART,
    Refused.GIVEN_UP,
    "The cloud had lost sight of this connection and counts it as over; connect again.",
)
NO_HEARTBEAT = Refusal(
    CloseCode.POLICY, Refused.NO_HEARTBEAT, "Three heartbeats were missed; the device counts as offline."
)
REMOVED = Refusal(CloseCode.BAD_CREDENTIALS, Refused.REMOVED, "The device was removed from the cloud.")
KEY_REVOKED = Refusal(
    CloseCode.BAD_CREDENTIALS, Refused.KEY_REVOKED, "This key is no longer good; connect with the new one."
)
SUSPENDED = Refusal(
    CloseCode.SUSPENDED, Refused.SUSPENDED, "The organization of this device is suspended or deleted."
)
RESTART = Refusal(CloseCode.RESTART, Refused.RESTART, "The cloud restarts; connect again in a few seconds.")


def clone_suspected(seconds: float) -> Refusal:
    """Two boxes replace each other: the one that is in stays, the other waits."""
    return Refusal(
        CloseCode.TOO_MANY,
        Refused.CLONE_SUSPECTED,
        "Two devices use this identity in turn. Give each its own provisioning code.",
        seconds,
    )


def too_many_attempts(seconds: float) -> Refusal:
    """Wrong keys again and again from one address for one device."""
    return Refusal(
        CloseCode.TOO_MANY,
        Refused.TOO_MANY_ATTEMPTS,
        f"Too many refused attempts; try again in {seconds:.0f} seconds.",
        seconds,
    )


def rate_limited(what: str, seconds: float) -> Refusal:
    """The device sent more than its share, even after it was told."""
    return Refusal(CloseCode.TOO_MANY, Refused.RATE_LIMITED, f"Too many {what} a second; slow down.", seconds)


def busy(seconds: float) -> Refusal:
    """More devices ask at once than can be let in now."""
    return Refusal(
        CloseCode.TRY_AGAIN_LATER, Refused.BUSY, "The cloud is busy; connect again later.", seconds
    )


def unavailable(seconds: float) -> Refusal:
    """What we stand on is away."""
    return Refusal(
        CloseCode.TRY_AGAIN_LATER,
        Refused.UNAVAILABLE,
        "The cloud cannot check credentials at the moment; connect again later.",
        seconds,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one hub grants. Rates are per device where nothing else is said; a burst may come at once after silence."""

    heartbeat_seconds: float = 30.0
    heartbeats_missed: int = 3
    authentication_seconds: float = 10.0
    waiting_connects: int = 4096
    unauthenticated: int = 8192
    frames_per_second: float = 50.0
    frames_burst: float = 250.0
    bytes_per_second: float = 1024 * 1024
    bytes_burst: float = 8 * 1024 * 1024
    waiting_frames: int = 16
    """Frames of one device that may wait for their handlers; then its socket is not read until half are
    done.
    """
    tenant_frames_per_second: float = 200.0
    tenant_frames_per_device: float = 1.0
    tenant_burst_seconds: float = 0.2
    """While several organizations have devices on the hub, those of one may send as many frames a second as the first
    two say together (heartbeats are not counted), and what these seconds bring at once.
    """
    handlers: int = 256
    """Frames of all devices that are being handled at once."""
    failures_burst: int = 10
    """Refused attempts of one (address, device) at once; one more every six seconds."""
    contested_takeovers: int = 5
    contested_seconds: float = 60.0
    damping_seconds: float = 60.0


class Superseded(Exception):
    """What the device sent came over a connection that is not its newest any more; nothing of it was written."""


class DeviceAway(Exception):
    """The tunnel ended before the answer came. `sent`: the command had been written, so it may have been
    done.
    """

    def __init__(self, *, sent: bool) -> None:
        super().__init__(
            "The device's connection was lost" + (" after the command was sent." if sent else ".")
        )
        self.sent = sent


class NoAnswer(Exception):
    """The device is connected but did not answer in time."""
