"""link-in, link-out and link-call: wires that are not drawn, also from flow to flow."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Literal, cast

from msgspec import Meta

from ...message import Message, new_id
from ...node import Node, NodeConfig, NodeError, current_run


class LinkInConfig(NodeConfig):
    """`linkId` names the link; `links` (Node-RED) are the ids of the link-outs at its other end."""

    link_id: Annotated[str, Meta(title="Link")] = ""
    scope: Annotated[Literal["global", "flow"], Meta(title="Reachable from")] = "global"
    flow_id: str = ""
    links: tuple[str, ...] = ()


class LinkIn(Node[LinkInConfig]):
    """Where a link comes out."""

    type = "link-in"
    inputs = 1
    category = "input"
    Config = LinkInConfig

    def forward(self, message: Message) -> int:
        return 0

    def answers(self, name: str, caller_flow: str, caller_id: str) -> bool:
        """Whether a link of that name, asked for from there, means this node."""
        if self.config.scope == "flow" and caller_flow != self.flow_id:
            return False
        return (name != "" and name in (self.id, self.config.link_id)) or (
            caller_id != "" and caller_id in self.config.links
        )


class LinkOutConfig(NodeConfig):
    """Goes on at the link-ins named; `return` goes back to the link-call that the message came from."""

    link_id: Annotated[str, Meta(title="Link")] = ""
    link_ids: Annotated[tuple[str, ...], Meta(title="Links")] = ()
    links: tuple[str, ...] = ()
    mode: Annotated[Literal["continue", "return", "link"], Meta(title="Mode")] = "continue"
    scope: Annotated[Literal["global", "flow"], Meta(title="Reaches")] = "global"
    flow_id: str = ""


def _find(names: set[str], flow_id: str, caller: str, scope: str, flows: _Flows) -> list[Node[NodeConfig]]:
    found: list[Node[NodeConfig]] = []
    for other_id, nodes in flows.items():
        if scope == "flow" and other_id != flow_id:
            continue
        for node in nodes.values():
            if isinstance(node, LinkIn) and any(node.answers(name, flow_id, caller) for name in names | {""}):
                found.append(node)
    return found


_Flows = Mapping[str, Mapping[str, Node[NodeConfig]]]


class LinkOut(Node[LinkOutConfig]):
    """Where a link goes in: to the link-ins of its name, or back to the link-call."""

    type = "link-out"
    category = "output"
    outputs = 0
    links = True
    Config = LinkOutConfig

    def link(self, flow_id: str, flows: _Flows) -> None:
        config = self.config
        names = {name for name in (config.link_id, *config.link_ids, *config.links) if name}
        self.set_wires((tuple(_find(names, flow_id, self.id, config.scope, flows)),))

    def forward(self, message: Message) -> int | None:
        if self.config.mode != "return":
            return 0
        sources = message.get("_linkSource")
        if not isinstance(sources, list) or not sources:
            raise NodeError("There is no link-call to return to: the message did not come through one.")
        source = cast("list[object]", sources).pop()
        if not sources:
            del message["_linkSource"]
        call = _CALLS.get(str(source))
        if call is None:
            raise NodeError("The link-call that the message came from waits no more.")
        call.returned(str(source), message)
        return None


class LinkCallConfig(NodeConfig):
    """The link-in to call, fixed or named by the message's `target`."""

    link_id: Annotated[str, Meta(title="Link")] = ""
    links: tuple[str, ...] = ()
    link_type: Annotated[Literal["static", "dynamic"], Meta(title="The link is")] = "static"
    timeout: Annotated[float, Meta(title="Wait (seconds)", gt=0)] = 30


_CALLS: dict[str, LinkCall] = {}


class LinkCall(Node[LinkCallConfig]):
    """Sends a message to a link-in and goes on with what a link-out in return mode brings back."""

    type = "link-call"
    links = True
    concurrency = 1000
    Config = LinkCallConfig

    async def start(self) -> None:
        self._waiting: dict[str, asyncio.Future[Message]] = {}
        self._flows: _Flows = {}

    def link(self, flow_id: str, flows: _Flows) -> None:
        self._flows = flows

    async def receive(self, message: Message) -> None:
        config = self.config
        names = {name for name in (config.link_id, *config.links) if name}
        if config.link_type == "dynamic":
            names = {str(message.get("target", ""))}
        targets = _find(names, self.flow_id, "", "global", self._flows)
        targets = targets or [
            node
            for nodes in self._flows.values()
            for node in nodes.values()
            if isinstance(node, LinkIn) and node.name in names
        ]
        if not targets:
            raise NodeError(f"There is no running link-in {' or '.join(sorted(names)) or '(none named)'}.")
        key = new_id()
        sources = message.get("_linkSource")
        message["_linkSource"] = [*cast("list[object]", sources if isinstance(sources, list) else []), key]
        future = self._waiting[key] = asyncio.get_running_loop().create_future()
        _CALLS[key] = self
        try:
            run = current_run.get() or self.lane.begin(self)
            targets[0].lane.put(targets[0], message, run)
            async with asyncio.timeout(config.timeout):
                answer = await future
        except TimeoutError:
            raise NodeError(f"Nothing came back within {config.timeout:g} s.") from None
        finally:
            del self._waiting[key], _CALLS[key]
        self.send(answer)

    def returned(self, key: str, message: Message) -> None:
        """A link-out brings the message back."""
        future = self._waiting.get(key)
        if future is not None and not future.done():
            future.set_result(message)
