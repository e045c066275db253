"""Two boxes with one key replace each other for ever; here that is noticed and slowed down.

A takeover is contested when the connection that had to go answers its close: it was alive. A device that
came back after its network died leaves a connection that answers nothing, and may do that as often as it
likes.
"""

from __future__ import annotations

from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.tunnel.model import Limits


class Damping:
    """Contested takeovers by device, on this hub. Times are the event loop's seconds."""

    def __init__(self, limits: Limits, size: int = 10_000) -> None:
        self._limits = limits
        self._size = size
        self._contested: dict[DeviceId, list[float]] = {}
        self._until: dict[DeviceId, float] = {}

    def contest(self, device_id: DeviceId, now: float) -> int:
        """Note a contested takeover. Answers how many there were lately if that is one too many, else 0."""
        recent = [
            at for at in self._contested.pop(device_id, ()) if at > now - self._limits.contested_seconds
        ]
        recent.append(now)
        if len(recent) >= self._limits.contested_takeovers:
            self.damp(device_id, now)
            return len(recent)
        self._contested[device_id] = recent
        if len(self._contested) > self._size:
            del self._contested[next(iter(self._contested))]
        return 0

    def damp(self, device_id: DeviceId, now: float) -> None:
        """From now on, for a while, whoever is in stays in."""
        self._until.pop(device_id, None)
        self._until[device_id] = now + self._limits.damping_seconds
        if len(self._until) > self._size:
            del self._until[next(iter(self._until))]

    def wait(self, device_id: DeviceId, now: float) -> float:
        """For how many seconds a newcomer has to wait while somebody is in; 0.0 for not at all."""
        until = self._until.get(device_id)
        if until is None:
            return 0.0
        if until <= now:
            del self._until[device_id]
            return 0.0
        return until - now
