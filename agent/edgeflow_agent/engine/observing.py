"""What a flow tells of its nodes: errors to catch nodes, statuses to status nodes, completions to complete nodes, lines
to the log, values to the debug stream."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from .flow import Flow
from .host import AnyNode
from .message import Message, clone, new_id
from .node import Fill, Level, NodeError, Shape, current_run
from .recording import Recorder
from .showing import show
from .streams import DebugShown, LogWritten, StatusShown, Streams

_log = logging.getLogger("edgeflow_agent.flow")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_LINES_A_SECOND = 50
_MAX_CATCHES = 9


class Observing:
    """The telling half of a running flow."""

    flow: Flow
    flow_id: str
    streams: Streams
    recorder: Recorder

    def __init__(self) -> None:
        self._catches: list[AnyNode] = []
        self._status_nodes: list[AnyNode] = []
        self._completes: list[AnyNode] = []
        self._statuses: dict[str, StatusShown] = {}
        self._second = 0
        self._lines = 0

    def observe(self, nodes: Mapping[str, AnyNode]) -> None:
        """Find the nodes that observe others."""
        found = nodes.values()
        self._catches = [node for node in found if node.observes == "errors"]
        self._status_nodes = [node for node in found if node.observes == "statuses"]
        self._completes = [node for node in found if node.observes == "completions"]
        for node in found:
            node.watched = any(each is not node and each.wants(node) for each in self._completes)

    def report(self, node: AnyNode, error: str | BaseException, message: Message | None) -> None:
        """An error of a node, with the message that it was about: to the catch nodes that want it, else to the log.
        Without a message it goes to the log only."""
        text = error if isinstance(error, str) else say(error)
        run = current_run.get()
        if run is not None and run.traced:
            run.trace(node.id).error = text
        if message is not None and self._catch(node, text, message):
            return
        if run is not None and not run.error:
            run.error = f"{name_of_node(node)}: {text}"
        self.log(node, text, "error")

    def _catch(self, node: AnyNode, text: str, message: Message) -> bool:
        before = message.get("error")
        count = 1
        if isinstance(before, dict):
            source = cast("dict[str, object]", before).get("source")
            if isinstance(source, dict):
                named = cast("dict[str, object]", source)
                earlier = named.get("count")
                if named.get("id") == node.id and isinstance(earlier, int):
                    count = earlier + 1
        if count > _MAX_CATCHES:
            self.log(
                node, "its message came back to it from a catch node nine times; it is dropped", "warning"
            )
            return False
        wanted = [each for each in self._catches if each.wants(node)]
        handlers = [each for each in wanted if not getattr(each.config, "uncaught", False)] or wanted
        for handler in handlers:
            caught = clone(message)
            if before is not None:
                caught["_error"] = before
            caught["error"] = {
                "message": text,
                "source": {"id": node.id, "type": node.type, "name": node.name, "count": count},
            }
            self._give(handler, caught, node)
        return bool(handlers)

    def completed(self, node: AnyNode, message: Message) -> None:
        """A node has handled a message."""
        for each in self._completes:
            if each is not node and each.wants(node):
                self._give(each, clone(message), node)

    def show_status(self, node: AnyNode, text: str, fill: Fill | None, shape: Shape) -> None:
        """The line under a node; the same again is not told."""
        empty = not text and fill is None
        shown = StatusShown(
            time=datetime.now(UTC),
            flow_id=self.flow_id,
            node_id=node.id,
            text=text[:200],
            fill=fill or "",
            shape="" if empty else shape,
        )
        before = self._statuses.get(node.id)
        if before is not None and (before.text, before.fill, before.shape) == (
            shown.text,
            shown.fill,
            shown.shape,
        ):
            return
        self._statuses[node.id] = shown
        self.streams.put(shown)
        for each in self._status_nodes:
            if each is not node and each.wants(node):
                status: dict[str, object] = {"text": shown.text, "fill": shown.fill, "shape": shown.shape}
                status = {key: value for key, value in status.items() if value}
                status["source"] = {"id": node.id, "type": node.type, "name": node.name}
                self._give(each, {"_msgid": new_id(), "status": status}, node)

    def statuses(self) -> list[StatusShown]:
        """The lines under the nodes now."""
        return [status for status in self._statuses.values() if status.shape]

    def forget_statuses(self) -> None:
        """The flow has stopped."""
        self._statuses.clear()

    def log(self, node: AnyNode, text: str, level: Level) -> None:
        """A line to the device's log and to whoever listens; at most 50 a second of one flow."""
        second = int(time.monotonic())
        if second != self._second:
            if self._lines > _LINES_A_SECOND:
                lost = self._lines - _LINES_A_SECOND
                _log.warning("Flow %s: %d more lines in one second are left out.", self._title(), lost)
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines > _LINES_A_SECOND:
            return
        _log.log(
            _LEVELS[level],
            "Flow %s, node %s (%s): %s",
            self._title(),
            name_of_node(node),
            node.type,
            text[:2000],
        )
        if self.streams.wanted("log"):
            self.streams.put(
                LogWritten(
                    time=datetime.now(UTC),
                    level=level,
                    message=text[:8192],
                    flow_id=self.flow_id,
                    node_id=node.id,
                )
            )

    @property
    def debug_watched(self) -> bool:
        """Whether anybody watches the debug stream."""
        return self.streams.wanted("debug")

    def show_debug(self, node: AnyNode, value: object, more: Mapping[str, object]) -> None:
        """A value for the debug stream; made only when somebody watches."""
        if not self.streams.wanted("debug"):
            return
        shown, form = show(value)
        texts = {key: str(item) for key, item in more.items() if key in ("topic", "property", "message_id")}
        self.streams.put(
            DebugShown(
                time=datetime.now(UTC),
                flow_id=self.flow_id,
                node_id=node.id,
                name=node.name,
                value=shown,
                format=form,
                topic=texts.get("topic", ""),
                property=texts.get("property", ""),
                message_id=texts.get("message_id", ""),
            )
        )

    def _give(self, observer: AnyNode, message: Message, cause: AnyNode) -> None:
        run = current_run.get()
        if run is None or run.finished:
            run = self.recorder.begin(cause.id)
        observer.lane.put(observer, message, run)

    def _title(self) -> str:
        return self.flow.name or self.flow_id


def name_of_node(node: AnyNode) -> str:
    """A node as an error names it."""
    return f"{node.name!r} ({node.id})" if node.name else node.id


def say(error: BaseException) -> str:
    """An exception as text for a flow's author."""
    text = str(error).strip()
    if isinstance(error, NodeError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
