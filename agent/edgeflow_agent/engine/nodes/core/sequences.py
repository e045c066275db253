"""Sequences: messages with `parts` that belong together, gathered until all are there."""

from __future__ import annotations

from typing import cast

from ...message import Message, clone, new_id
from ...node import Node, NodeConfig, NodeError

MESSAGES = 100_000
"""Kept at most, of all sequences of a node."""


def read_parts(message: Message) -> Message | None:
    """The `parts` of a message that has its place in a sequence."""
    parts = message.get("parts")
    if isinstance(parts, dict) and "id" in parts and isinstance(cast("Message", parts).get("index"), int):
        return cast("Message", parts)
    return None


class Gathering:
    """The unfinished sequences of one node."""

    def __init__(self, node: Node[NodeConfig]) -> None:
        self._node = node
        self._groups: dict[str, list[Message]] = {}
        self._counts: dict[str, int] = {}
        self._kept = 0

    def add(self, message: Message, parts: Message) -> list[Message] | None:
        """All messages of the sequence, in the order in which they came, once the last one is there. Raises NodeError
        when too many wait; they are dropped then."""
        key = str(parts["id"])
        group = self._groups.setdefault(key, [])
        group.append(message)
        self._kept += 1
        if isinstance(count := parts.get("count"), int):
            self._counts[key] = count
        if len(group) == self._counts.get(key):
            del self._groups[key], self._counts[key]
            self._kept -= len(group)
            return group
        if self._kept > MESSAGES:
            self.clear()
            raise NodeError(
                f"{MESSAGES:,} messages wait for the rest of their sequences; they are dropped. Send whole sequences."
            )
        return None

    def clear(self) -> None:
        """Forget them."""
        self._groups.clear()
        self._counts.clear()
        self._kept = 0


def rebuild(group: list[tuple[Message, list[int]]]) -> list[tuple[Message, int]]:
    """Messages of one sequence and the ports that each goes to, as one new sequence for each port, in their order."""
    counts: dict[int, int] = {}
    for _, ports in group:
        for port in ports:
            counts[port] = counts.get(port, 0) + 1
    ids = {port: new_id() for port in counts}
    places = dict.fromkeys(counts, 0)
    made: list[tuple[Message, int]] = []
    for message, ports in group:
        for port in ports:
            copy = clone(message)
            parts = cast("Message", copy["parts"])
            parts |= {"id": ids[port], "index": places[port], "count": counts[port]}
            places[port] += 1
            made.append((copy, port))
    return made
