"""debug: shows messages to people. comment: says something to who reads the flow."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ...javalike import to_text
from ...message import Message
from ...node import Node, NodeConfig
from ...properties import MISSING, Evaluator, Path, evaluator


class DebugConfig(NodeConfig):
    """Field runtime: `output_to`; Node-RED: `active`, `console`, `tosidebar`, `tostatus`."""

    output_to: Annotated[Literal["", "console", "log"], Meta(title="Also write to")] = msgspec.field(
        default="", name="output_to"
    )
    output: str = ""
    complete: Annotated[
        bool | str, Meta(title="Show", description="true: the whole message; or a property")
    ] = False
    target_type: Annotated[Literal["", "msg", "full", "jsonata"], Meta(title="Show what")] = ""
    active: Annotated[bool, Meta(title="Active")] = True
    console: Annotated[bool, Meta(title="Write to the log")] = False
    tosidebar: Annotated[bool, Meta(title="Show in the debug stream")] = True
    tostatus: Annotated[bool, Meta(title="Show under the node")] = False


class Debug(Node[DebugConfig]):
    """Shows a message, or one property of it, in the debug stream and on request in the device's log."""

    type = "debug"
    category = "output"
    outputs = 0
    Config = DebugConfig

    async def start(self) -> None:
        config = self.config
        whole = config.complete in (True, "true") or config.target_type == "full"
        path = (
            config.complete
            if isinstance(config.complete, str) and config.complete not in ("", "true", "false")
            else "payload"
        )
        self._value: Evaluator | None = None if whole else evaluator(self, config.target_type or "msg", path)
        self._path = "" if whole or config.target_type == "jsonata" else Path(path).text
        self._active = config.active
        self._logs = config.console or config.output_to != "" or config.output == "console"
        self._always = self._logs or config.tostatus
        self.watch_changed()

    def watch_changed(self) -> None:
        self.deaf = not self._active or not (self._always or self.debug_watched)

    def forward(self, message: Message) -> None:
        if not self._active or not (self._always or self.debug_watched):
            return
        config = self.config
        value = message if self._value is None else self._value(message)
        if value is MISSING:
            value = None
        if config.tosidebar:
            self.debug(
                value,
                topic=message.get("topic") or "",
                property=self._path,
                message_id=message.get("_msgid", ""),
            )
        if self._logs:
            self.log(to_text(value))
        if config.tostatus:
            self.status(to_text(value)[:32], "grey")


class CommentConfig(NodeConfig):
    """Nothing of it matters to the engine."""

    text: Annotated[str, Meta(title="Text")] = ""
    color: Annotated[str, Meta(title="Colour")] = ""


class Comment(Node[CommentConfig]):
    """A note for people; does nothing."""

    type = "comment"
    inputs = 0
    outputs = 0
    Config = CommentConfig
