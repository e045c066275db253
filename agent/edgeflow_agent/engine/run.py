"""One execution while it is under way: a message that came into a flow, and everything that it caused."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

import msgspec

from .message import Message
from .showing import show


class NodeExecution(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one node did in one execution. `status`: running, succeeded, failed. `duration_ms` is its work, all messages
    together. `input` and `output` are the last message in and out, bounded, while somebody watches at the device; they
    never leave it."""

    node_id: str
    status: str
    started_at: datetime
    duration_ms: float
    messages_in: int
    messages_out: int
    node_type: str = ""
    name: str = ""
    error: str = ""
    input: object = None
    output: object = None


class Execution(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One execution. `status`: running, succeeded, failed, cancelled. `trigger` is the id of the node that it began at,
    or `start`. `nodes` is empty for one of very many a second: those are counted, and only failures kept."""

    execution_id: str
    flow_id: str
    status: str
    started_at: datetime
    flow_name: str = ""
    trigger: str = ""
    finished_at: datetime | None = None
    error: str = ""
    nodes: list[NodeExecution] = []


def without_messages(execution: Execution) -> Execution:
    """As it is kept: what went in and out is for who looks on, and only then."""
    if all(node.input is None and node.output is None for node in execution.nodes):
        return execution
    bare = [msgspec.structs.replace(node, input=None, output=None) for node in execution.nodes]
    return msgspec.structs.replace(execution, nodes=bare)


class Run:
    """Counts the messages of one execution that are still to be handled. `traced`: with what each node did; `shown`:
    with the messages, too."""

    __slots__ = ("began", "error", "finished", "nodes", "pending", "shown", "started_at", "traced", "trigger")

    def __init__(self, trigger: str, traced: bool, shown: bool = False) -> None:
        self.pending = 0
        self.finished = False
        self.trigger = trigger
        self.error = ""
        self.traced = traced
        self.shown = shown
        if traced:
            self.began = time.time()
            self.started_at = time.perf_counter()
            self.nodes: dict[str, NodeTrace] = {}

    def sent(self, node_id: str, message: Message) -> None:
        """A node sent a message."""
        trace = self.trace(node_id)
        trace.out += 1
        if self.shown:
            trace.output = show(message)[0]

    def trace(self, node_id: str) -> NodeTrace:
        """What is known of a node in this execution."""
        found = self.nodes.get(node_id)
        if found is None:
            found = self.nodes[node_id] = NodeTrace()
        return found


class NodeTrace:
    """The tally of one node in one execution. `worked` in seconds."""

    __slots__ = ("began", "error", "input", "out", "output", "received", "under_way", "worked")

    def __init__(self) -> None:
        self.began = time.time()
        self.worked = 0.0
        self.received = 0
        self.out = 0
        self.under_way = 0
        self.error = ""
        self.input: object = None
        self.output: object = None


def new_execution_id() -> str:
    """`exec_` and 26 characters that sort by time."""
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    letters = "0123456789abcdefghjkmnpqrstvwxyz"
    return "exec_" + "".join(letters[(number >> shift) & 31] for shift in range(125, -1, -5))


def instant(seconds: float) -> datetime:
    """A UTC time from seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
