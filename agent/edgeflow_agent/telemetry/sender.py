"""Sends a spool's batches in order while a session that negotiated their kind is in; a batch goes when it is acked."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from edgeflow_protocol.capabilities import Capability
from edgeflow_protocol.frames import Ack, Frame

from ..link import Session

_log = logging.getLogger(__name__)
_WINDOW = 4
"""Batches in flight: enough to catch up over a slow line, few enough to stay polite."""


class Sealed(Protocol):
    """A batch whose number and content belong together."""

    @property
    def position(self) -> int: ...
    @property
    def boot_id(self) -> str: ...
    @property
    def sequence(self) -> int: ...


B = TypeVar("B", bound=Sealed, covariant=True)


class Store(Protocol[B]):
    """Where batches lie until they are acknowledged."""

    async def next_batch(self, after: int = 0) -> B | None: ...
    async def acknowledge(self, boot_id: str, sequence: int) -> int: ...
    async def discard(self, boot_id: str, sequence: int) -> int: ...


class Sender(Generic[B]):
    """One per kind of batch; `serve` runs for each session, `acknowledged` is told what the cloud says.

    `kind` is the capability, and what an `ack` calls the frame; `what` are the entries, for people.
    """

    def __init__(
        self,
        spool: Store[B],
        answer_within: float,
        frame: Callable[[B], Frame],
        kind: str = Capability.TELEMETRY,
        what: str = "measurements",
    ) -> None:
        self._spool = spool
        self._answer_within = answer_within
        self._frame = frame
        self._kind = kind
        self._what = what
        self._news = asyncio.Event()
        self._acks: asyncio.Queue[Ack] = asyncio.Queue(256)

    def wake(self) -> None:
        """There is a new sample."""
        self._news.set()

    def acknowledged(self, ack: Ack) -> None:
        """Take an `ack` frame; one too many is dropped, the next one includes it."""
        if not self._acks.full():
            self._acks.put_nowait(ack)
        self._news.set()

    async def serve(self, session: Session) -> None:
        """Send until the session ends. Returns at once when the cloud does not want telemetry. Raises
        LinkDown.
        """
        if self._kind not in session.capabilities:
            return
        while not self._acks.empty():  # Of the last session: they are sent and acknowledged again.
            self._acks.get_nowait()
        loop = asyncio.get_running_loop()
        flying: OrderedDict[tuple[str, int], None] = OrderedDict()
        position = 0
        heard = loop.time()
        while True:
            self._news.clear()
            while not self._acks.empty():
                heard = loop.time()
                await self._settle(self._acks.get_nowait(), flying)
            if flying and loop.time() - heard >= self._answer_within:
                _log.warning(
                    "The cloud has not acknowledged %s for %g s; sending again.",
                    self._what,
                    self._answer_within,
                )
                flying.clear()
                position = 0
            while len(flying) < _WINDOW and (batch := await self._spool.next_batch(position)) is not None:
                if not flying:
                    heard = loop.time()
                await session.send(self._frame(batch))
                position = batch.position
                flying[batch.boot_id, batch.sequence] = None
            await self._wait(heard + self._answer_within if flying else None)

    async def _settle(self, ack: Ack, flying: OrderedDict[tuple[str, int], None]) -> None:
        """Forget what the cloud has. An ack of something that was not sent is not believed."""
        if (ack.frame or Capability.TELEMETRY) != self._kind or (ack.boot_id, ack.sequence) not in flying:
            return
        if ack.error:
            lost = await self._spool.discard(ack.boot_id, ack.sequence)
            _log.error("The cloud can never store %d %s; they are dropped: %s", lost, self._what, ack.error)
            del flying[ack.boot_id, ack.sequence]
            return
        await self._spool.acknowledge(ack.boot_id, ack.sequence)
        for boot_id, sequence in list(flying):
            if boot_id == ack.boot_id and sequence <= ack.sequence:
                del flying[boot_id, sequence]

    async def _wait(self, until: float | None) -> None:
        try:
            async with asyncio.timeout_at(until):
                await self._news.wait()
        except TimeoutError:
            pass
