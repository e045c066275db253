"""What a lane and its nodes need of the flow that they are in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..pins import Pins
from .context import Contexts
from .doors import Doors
from .message import Message
from .node import Fill, Level, Node, NodeConfig, Shape
from .run import Run

AnyNode = Node[NodeConfig]


class Host(Protocol):
    """The running flow, as its lane and its nodes see it."""

    flow_id: str
    contexts: Contexts
    environment: Mapping[str, str]
    pins: Pins
    doors: Doors

    @property
    def debug_watched(self) -> bool: ...

    def begin_run(self, node: AnyNode) -> Run: ...
    def end_run(self, run: Run) -> None: ...
    def completed(self, node: AnyNode, message: Message) -> None: ...
    def report(self, node: AnyNode, error: str | BaseException, message: Message | None) -> None: ...
    def log(self, node: AnyNode, text: str, level: Level) -> None: ...
    def show_status(self, node: AnyNode, text: str, fill: Fill | None, shape: Shape) -> None: ...
    def show_debug(self, node: AnyNode, value: object, more: Mapping[str, object]) -> None: ...
