"""Organizations beside one another on a hub: none waits long because another is loud.

Two things are shared out. What may come in: while several organizations are here, each has a share of frames a second
that grows with its devices; whoever is over it is not read for a while, so it waits in its own buffers, and nothing is
lost or closed. And the handlers: so many run at once; who waits for a place is served in turns, an organization at a
time, and none may hold more than half of the places. An organization that is alone has all of both.
"""

from __future__ import annotations

import asyncio
from collections import deque

from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_cloud.tunnel.model import Limits


class Share:
    """One organization's part of a hub. `devices` are its sessions here, `running` its handlers at work."""

    __slots__ = ("devices", "due", "running", "tenant_id", "waiting")

    def __init__(self, tenant_id: TenantId) -> None:
        self.tenant_id = tenant_id
        self.devices = 0
        self.due = 0.0
        self.running = 0
        self.waiting: deque[asyncio.Future[None]] = deque()


class Fairness:
    """The shares of all organizations that have devices on this hub."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._shares: dict[TenantId, Share] = {}
        self._running = 0
        self._turns: deque[Share] = deque()
        """Shares with somebody who waits, each once: the first is served next."""

    def join(self, tenant_id: TenantId) -> Share:
        """A device of this organization came."""
        share = self._shares.get(tenant_id)
        if share is None:
            share = self._shares[tenant_id] = Share(tenant_id)
        share.devices += 1
        return share

    def part(self, share: Share) -> None:
        """A device of it went."""
        share.devices -= 1
        if share.devices == 0 and self._shares.get(share.tenant_id) is share:
            del self._shares[share.tenant_id]

    @property
    def contested(self) -> bool:
        """Whether more than one organization is here."""
        return len(self._shares) > 1

    def count(self, share: Share, now: float) -> float:
        """Count a frame that came at `now`: for how many seconds its sender should not be read."""
        if len(self._shares) < 2:
            return 0.0
        limits = self._limits
        rate = limits.tenant_frames_per_second + limits.tenant_frames_per_device * share.devices
        due = share.due if share.due > now else now
        share.due = due + 1.0 / rate
        over = share.due - now - limits.tenant_burst_seconds
        return over if over > 0.0 else 0.0

    async def enter(self, share: Share) -> None:
        """Take a place for one handler; waits for its turn when there is none."""
        if not share.waiting and self._has_room(share):
            self._begin(share)
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not share.waiting:
            self._turns.append(share)
        share.waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave(share)  # the place was given in the same moment: hand it on
            raise

    def leave(self, share: Share) -> None:
        """Give a place back; the next organization in turn has it."""
        share.running -= 1
        self._running -= 1
        for _ in range(len(self._turns)):
            first = self._turns[0]
            if not self._has_room(first):
                if self._running >= self._limits.handlers:
                    return
                self._turns.rotate(-1)
                continue
            self._turns.popleft()
            served = self._serve(first)
            if first.waiting:
                self._turns.append(first)
            if served:
                return

    def _serve(self, share: Share) -> bool:
        """Give a place to the first of a share who still wants it; False: nobody does."""
        while share.waiting:
            place = share.waiting.popleft()
            if not place.done():
                self._begin(share)
                place.set_result(None)
                return True
        return False

    def _begin(self, share: Share) -> None:
        share.running += 1
        self._running += 1

    def _has_room(self, share: Share) -> bool:
        if self._running >= self._limits.handlers:
            return False
        return len(self._shares) < 2 or share.running * 2 < self._limits.handlers
