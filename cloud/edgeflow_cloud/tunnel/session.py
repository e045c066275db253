"""One device's live connection, as handlers see it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Protocol

from edgeflow_cloud.devices import Fence, presence
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import GuardFailed, Transaction
from edgeflow_cloud.infra.sockets import Connection
from edgeflow_cloud.infra.wheel import NOWHERE
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.kernel.principal import Kind, Principal
from edgeflow_cloud.tunnel.fairness import Share
from edgeflow_cloud.tunnel.lane import Lane
from edgeflow_cloud.tunnel.measures import note_refusal
from edgeflow_cloud.tunnel.model import Refusal, Superseded
from edgeflow_protocol import encode, frames
from edgeflow_protocol.capabilities import BASE_COMMANDS_IN_FLIGHT, NEGOTIATED_COMMANDS_IN_FLIGHT


class Home(Protocol):
    """The hub, as a session needs it."""

    context: Context

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Run short work of a session; it must not raise."""
        ...

    def doubt(self, session: Session) -> None:
        """The fence refused what it said."""
        ...

    def end(self, session: Session, refusal: Refusal, reason: str) -> None:
        """End it for a reason of ours."""
        ...


class Session:
    """A device that was let in. Kept small: ten thousand of these are idle most of the time.

    `epoch` is PostgreSQL's number of this connection; a newer connection has a higher one. `seen` is when
    the last frame came, in the event loop's seconds.
    """

    __slots__ = (
        "_lane",
        "boot_id",
        "bytes_due",
        "capabilities",
        "connection",
        "device_id",
        "epoch",
        "frames_due",
        "held",
        "hub",
        "inboxes",
        "key_hash",
        "left",
        "replaced",
        "seen",
        "session_id",
        "share",
        "tenant_id",
        "touched",
        "version",
        "waiting",
        "wheel_slot",
    )

    def __init__(
        self,
        hub: Home,
        connection: Connection,
        *,
        tenant_id: TenantId,
        device_id: DeviceId,
        epoch: int,
        session_id: str,
        key_hash: bytes,
        capabilities: tuple[str, ...],
        negotiated: bool,
        version: str,
        boot_id: str,
        now: float,
    ) -> None:
        self.hub = hub
        self.connection = connection
        self.tenant_id = tenant_id
        self.device_id = device_id
        self.epoch = epoch
        self.session_id = session_id
        self.key_hash = key_hash
        self.capabilities: tuple[str, ...] | None = capabilities if negotiated else None
        self.version = version
        self.boot_id = boot_id
        self.seen = now
        self.touched = False
        self.frames_due = 0.0
        self.bytes_due = 0.0
        self.inboxes: dict[object, deque[object]] | None = None
        self.waiting = 0
        self.replaced = False
        self.left = False
        self.held = False
        self.share: Share | None = None
        self.wheel_slot = NOWHERE
        self._lane: Lane | None = None

    @property
    def context(self) -> Context:
        """The parts of this process: database, bus, clock."""
        return self.hub.context

    @property
    def principal(self) -> Principal:
        """The device as a caller: inside its own organization, with no permission beyond its own things."""
        return Principal(
            tenant_id=self.tenant_id,
            kind=Kind.DEVICE,
            id=self.device_id,
            ip_address=self.connection.address or None,
        )

    @property
    def fence(self) -> Fence:
        """What its writes are fenced by: they count while no newer connection of the device is in."""
        return Fence(self.tenant_id, self.device_id, self.epoch)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """A transaction of the device, for what it said: committed only while this is its newest connection.

        Raises Superseded, and ends the session, when it is not; nothing was written then, and the device is
        told nothing: over its newest connection it says the same again.
        """
        try:
            async with self.context.db.tenant_tx(self.principal, guard=presence.guard([self.fence])) as tx:
                yield tx
        except GuardFailed:
            self.hub.doubt(self)
            raise Superseded from None

    @property
    def wire_id(self) -> str:
        """`dev_…`."""
        return ids.encode(ids.DEVICE, self.device_id)

    @property
    def negotiated(self) -> bool:
        """Whether the client named capabilities; the field client does not, and gets the base protocol
        only.
        """
        return self.capabilities is not None

    def has(self, capability: str) -> bool:
        """Whether both sides have `capability`."""
        return self.capabilities is not None and capability in self.capabilities

    @property
    def is_open(self) -> bool:
        """Whether frames may still be sent, and this is still the device's newest connection as far as we
        know.
        """
        return self.connection.is_open and not self.replaced

    @property
    def lane(self) -> Lane:
        """The device's way for commands: one at a time for a base client, eight for one that negotiated."""
        lane = self._lane
        if lane is None:
            size = NEGOTIATED_COMMANDS_IN_FLIGHT if self.negotiated else BASE_COMMANDS_IN_FLIGHT
            lane = self._lane = Lane(size, self.send)
            if not self.connection.is_open:
                lane.close()
        return lane

    def send(self, frame: frames.CloudFrame) -> bool:
        """Send a frame now. False: the connection is closing, or was cut because the device reads nothing.

        Raises FrameError for a frame that is too large. Extensions go only to a client that negotiated
        them: ask `has` first.
        """
        return self.connection.send(encode(frame))

    def end(self, refusal: Refusal) -> None:
        """Tell the device why, and close."""
        refuse(self.connection, refusal, negotiated=self.negotiated)

    def hold_back(self, seconds: float, most_waiting: int) -> bool:
        """Do not read its socket for so long: its organization is over its share. False: that is so already."""
        if self.held:
            return False
        self.held = True
        self.connection.pause_reading()
        asyncio.get_running_loop().call_later(seconds, self._read_again, most_waiting)
        return True

    def _read_again(self, most_waiting: int) -> None:
        self.held = False
        if self.waiting < most_waiting:
            self.connection.resume_reading()

    def close_lane(self) -> None:
        """Called by the hub when the connection is gone."""
        if self._lane is not None:
            self._lane.close()

    def hand_answer(self, response: frames.Response) -> bool:
        """Called by the hub: whether somebody waited for this response."""
        return self._lane is not None and self._lane.answer(response)


def refuse(connection: Connection, refusal: Refusal, *, negotiated: bool) -> None:
    """An `error` frame, then the close code with its meaning as the reason.

    A client that negotiated nothing gets the text alone: `code` and `retry_after` are extensions.
    """
    if connection.is_open:
        note_refusal(str(refusal.code))
    if negotiated:
        error = frames.Error(
            error=refusal.sentence, code=str(refusal.code), retry_after=round(refusal.retry_after, 1)
        )
    else:
        error = frames.Error(error=refusal.sentence)
    connection.send(encode(error))
    connection.close(refusal.close, refusal.close.meaning)
