"""WebSocket close codes of the tunnel, with what each means for the device.

The field client treats every close as a lost connection; ours reads `is_final` and slows down when
asking again cannot help.
"""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    """Why a tunnel was closed."""

    NORMAL = 1000
    GOING_AWAY = 1001
    INVALID_TEXT = 1007
    POLICY = 1008
    TOO_LARGE = 1009
    INTERNAL_ERROR = 1011
    RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_CREDENTIALS = 4401
    SUSPENDED = 4403
    AUTHENTICATION_TIMEOUT = 4408
    REPLACED = 4409
    TOO_MANY = 4429

    @property
    def meaning(self) -> str:
        """One sentence for people, sent as the close reason (at most 123 bytes)."""
        return _MEANINGS[self]

    @property
    def is_final(self) -> bool:
        """Whether reconnecting with the same credentials cannot help until a person acts."""
        return self in (CloseCode.BAD_CREDENTIALS, CloseCode.SUSPENDED)


_MEANINGS = {
    CloseCode.NORMAL: "The other side is done.",
    CloseCode.GOING_AWAY: "The other side is going away.",
    CloseCode.INVALID_TEXT: "Frames are UTF-8 JSON texts.",
    CloseCode.POLICY: "The frame is not allowed here.",
    CloseCode.TOO_LARGE: "The frame is too large.",
    CloseCode.INTERNAL_ERROR: "The cloud failed; reconnect.",
    CloseCode.RESTART: "The cloud restarts; reconnect.",
    CloseCode.TRY_AGAIN_LATER: "The cloud is busy; reconnect later.",
    CloseCode.BAD_CREDENTIALS: "Unknown device or wrong key.",
    CloseCode.SUSPENDED: "The organization is suspended.",
    CloseCode.AUTHENTICATION_TIMEOUT: "No valid connect frame in time.",
    CloseCode.REPLACED: "A newer connection of this device took over.",
    CloseCode.TOO_MANY: "Too much at once; slow down and reconnect later.",
}
