"""What the device tells of itself while it works: to the cloud (spooled, acknowledged) and to who watches locally."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import assert_never, cast

import msgspec

from edgeflow_protocol.capabilities import Capability
from edgeflow_protocol.frames import Ack, Events, Logs
from edgeflow_protocol.reports import Event as WireEvent
from edgeflow_protocol.reports import LogLine

from .api.frames import describe_event, describe_line
from .api.live import LiveFeed
from .engine import DebugShown, Event, ExecutionEnded, FlowChanged, LogWritten, StatusShown
from .link import Session
from .reports import LogTap, ReportBatch, ReportSpool, describe_execution, device_event
from .reports.tap import Line
from .state import Database
from .telemetry import Sender

_EVENT_BYTES = 8 * 1024 * 1024
_LOG_BYTES = 4 * 1024 * 1024


class Telling:
    """One per agent: events, log lines, the live feed."""

    def __init__(self, database: Database, boot_id: str, answer_within: float) -> None:
        self.feed = LiveFeed()
        self.events = ReportSpool(database, Capability.EVENTS, boot_id, limit=_EVENT_BYTES)
        self.logs = ReportSpool(database, Capability.LOGS, boot_id, limit=_LOG_BYTES, batch=200, pause=2.0)
        self._senders = (
            Sender(self.events, answer_within, _events_frame, Capability.EVENTS, "events"),
            Sender(self.logs, answer_within, _logs_frame, Capability.LOGS, "log lines"),
        )
        for spool, sender in zip((self.events, self.logs), self._senders, strict=True):
            spool.wake = sender.wake
        self._tap = LogTap(self._take_line)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0

    async def open(self) -> None:
        """Take over what earlier boots left, and listen to the log. Raises StateError."""
        await self.events.open()
        await self.logs.open()
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        logging.getLogger("edgeflow_agent").addHandler(self._tap)

    def close(self) -> None:
        """Stop listening to the log."""
        logging.getLogger("edgeflow_agent").removeHandler(self._tap)
        self._loop = None

    @property
    def works(self) -> tuple[Callable[[], Coroutine[object, object, None]], ...]:
        """What must run while the agent does."""
        return self.events.run, self.logs.run

    async def serve(self, session: Session) -> None:
        """Send until the session ends. Raises LinkDown."""
        async with asyncio.TaskGroup() as group:
            for sender in self._senders:
                group.create_task(sender.serve(session))

    def acknowledged(self, ack: Ack) -> None:
        """Take an `ack` frame; it is for one of the two, or for neither."""
        for sender in self._senders:
            sender.acknowledged(ack)

    def happened(self, level: str, code: str, message: str, flow_id: str = "", **data: object) -> None:
        """Something that people should see, once."""
        event = device_event(level, code, message, flow_id=flow_id, data=data)
        self.events.put(event)
        self.feed.tell("notification", event)

    def engine_event(self, event: Event) -> None:
        """What the engine says."""
        match event:
            case ExecutionEnded(execution):
                self.events.put(describe_execution(execution))
            case LogWritten():
                self.logs.put(msgspec.structs.asdict(event) | {"source": "flow"})
            case FlowChanged() | StatusShown() | DebugShown():
                pass  # For who watches here.
            case _:
                assert_never(event)
        if self.feed.watchers:
            for kind, data in describe_event(event):
                self.feed.tell(kind, data)

    def _take_line(self, line: Line) -> None:
        loop = self._loop
        if loop is None:
            return
        if threading.get_ident() == self._thread:
            self._keep_line(line)
        elif not loop.is_closed():
            loop.call_soon_threadsafe(self._keep_line, line)

    def _keep_line(self, line: Line) -> None:
        self.logs.put(line)
        if self.feed.watchers:
            self.feed.tell(*describe_line(line))


def _events_frame(batch: ReportBatch) -> Events:
    """The entries go over as they lie in the spool: to read them here again would only cost time."""
    return Events(batch.boot_id, batch.sequence, cast("list[WireEvent]", batch.entries))


def _logs_frame(batch: ReportBatch) -> Logs:
    return Logs(batch.boot_id, batch.sequence, cast("list[LogLine]", batch.entries))
