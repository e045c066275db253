"""catch, status and complete: nodes that hear of other nodes."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from ...message import Message
from ...node import Node, NodeConfig


class ObserverConfig(NodeConfig):
    """`scope`: all or flow (every node of this flow), nodes (those in `nodeIds`). Node-RED writes the ids, or null for
    all, as `scope` itself."""

    scope: Annotated[
        Literal["all", "flow", "nodes", "group"] | tuple[str, ...] | None, Meta(title="Of which nodes")
    ] = "all"
    node_ids: Annotated[tuple[str, ...], Meta(title="Nodes")] = ()
    uncaught: Annotated[bool, Meta(title="Only what no other catch node takes")] = False


class _Observer(Node[ObserverConfig]):
    category = "input"
    inputs = 0
    Config = ObserverConfig

    def wants(self, node: Node[NodeConfig]) -> bool:
        config = self.config
        if isinstance(config.scope, tuple):
            return node.id in config.scope
        if config.scope == "nodes":
            return node.id in config.node_ids
        return True

    def forward(self, message: Message) -> int:
        return 0


class Catch(_Observer):
    """Gets the message that a node failed with, and `error` with its message and source."""

    type = "catch"
    observes = "errors"

    def wants(self, node: Node[NodeConfig]) -> bool:
        return node is not self and super().wants(node)


class Status(_Observer):
    """Gets a message with `status` whenever the line under a node changes."""

    type = "status"
    observes = "statuses"


class Complete(_Observer):
    """Gets the message that a node has finished with."""

    type = "complete"
    observes = "completions"

    def wants(self, node: Node[NodeConfig]) -> bool:
        return not isinstance(node, _Observer) and super().wants(node)
