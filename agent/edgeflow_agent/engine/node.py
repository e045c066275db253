"""What a node type is: a class. This is the whole interface that a type, ours or a third party's, is written to.

```python
class Multiply(Node["MultiplyConfig"]):
    \"\"\"Multiplies the payload.\"\"\"            # first line: the catalogue's description

    type = "multiply"
    category = "processing"
    Config = MultiplyConfig

    def receive(self, message: Message) -> None:
        message["payload"] = float(message["payload"]) * self.config.factor
        self.send(message)
```

- A type is found by its entry point (group `edgeflow_agent.nodes`, name = type, value = `module:Class`); its module is
  imported when a flow first uses it. Import heavy libraries inside `start`, not at the top: the catalogue imports
  modules.
- `receive` is a plain function for work that never waits, `async def` (or returns an awaitable) for work that does.
  Up to `concurrency` calls of a node run at once, the rest wait in its inbox, in order.
- What `receive` or `start` raises is the node's error: `catch` nodes see it, other nodes never do. A start that raises
  makes the flow refuse to start, with that text.
- After `send` the message belongs to whoever receives it: `self.clone(message)` first to go on using it.
"""

from __future__ import annotations

import asyncio
import builtins
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeVar, cast

import msgspec

from .message import Message, clone, new_id

if TYPE_CHECKING:
    from .lane import Lane
    from .run import Run

Level = Literal["debug", "info", "warning", "error"]
Fill = Literal["red", "green", "yellow", "blue", "grey"]
Shape = Literal["dot", "ring"]


class NodeConfig(msgspec.Struct, kw_only=True, rename="camel"):
    """Base of a type's config: one attribute per key (`interval_type` reads `intervalType`), with default.

    Annotate with `msgspec.Meta(title=…, description=…, ge=…, examples=[…], extra_json_schema={…})`: the console's form
    is made from it. Extra keys that the console knows: `"format": "code"` with `"language"`, `"format": "password"`,
    `"format": "duration"`. Unknown keys of a config are kept in the flow and not shown to the node.
    """


C = TypeVar("C", bound=NodeConfig, covariant=True)

current_run: ContextVar[Run | None] = ContextVar("current_run", default=None)


class Pending:
    """What `receive` may return for work that something else ends, by `finish`: lighter than a future."""

    __slots__ = ("_ended", "run")

    def __init__(self) -> None:
        self.run = current_run.get()
        self._ended: Callable[[BaseException | None], None] | None = None

    def attach(self, ended: Callable[[BaseException | None], None]) -> None:
        """For the lane."""
        self._ended = ended

    def finish(self, error: BaseException | None = None) -> None:
        """The work is done, or failed; a second time is nothing."""
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(error)


class NodeError(Exception):
    """An error whose text is meant for the flow's author; any other exception is told with its class name."""


class Node(Generic[C]):
    """One node of a running flow."""

    type: ClassVar[str]
    title: ClassVar[str] = ""
    """The name in the palette; the type's when empty."""
    category: ClassVar[str] = "function"
    """`input`, `output`, `processing` or `function`, as the field runtime has them."""
    group: ClassVar[str] = "core"
    """`core`, `network`, `hardware`, `industrial`, `messaging`, `database`, or a third party's."""
    inputs: ClassVar[int] = 1
    outputs: ClassVar[int] = 1
    Config: ClassVar[builtins.type[NodeConfig]] = NodeConfig
    concurrency: ClassVar[int] = 1
    """How many calls of `receive` may be under way at once; more than one gives up the order of what is sent."""
    reads_environment: ClassVar[bool] = False
    """Whether the node itself looks into `environment`: then it starts anew when that changes."""
    observes: ClassVar[Literal["", "errors", "statuses", "completions"]] = ""
    """What the node is told of other nodes; `wants` says of which."""
    links: ClassVar[bool] = False
    """Whether `link` is called whenever flows start or stop."""
    verbatim: ClassVar[frozenset[str]] = frozenset({"code", "func", "template"})
    """Config keys in which `${NAME}` is not replaced by the flow's environment."""

    def __init__(self, node_id: str, name: str, config: C, lane: Lane) -> None:
        self.id = node_id
        self.name = name
        self.config: C = config
        self.context = lane.host.contexts.node(lane.host.flow_id, node_id)
        self.flow_context = lane.host.contexts.flow(lane.host.flow_id)
        self.global_context = lane.host.contexts.whole
        self.lane = lane
        self.surroundings: Mapping[str, str] | None = None
        """The environment of a node that has variables of its own."""
        self.wires: tuple[tuple[Node[NodeConfig], ...], ...] = ()
        self.inbox: deque[tuple[Message, Run]] = deque()
        self.busy = 0
        self.straight: tuple[Node[NodeConfig] | None, ...] = ()
        """By output port: the only receiver, if it forwards in this lane; else None."""
        self.forwards = self.__class__.forward is not Node.forward and self.__class__.receive is Node.receive
        self.deaf = False
        """Whether what is sent to it has no effect now, as with a debug node that nobody watches: it gets no copy."""
        self.live: tuple[tuple[Node[NodeConfig], ...], ...] = ()
        """`wires` without those that are deaf."""
        self.queued = 0
        """Messages for it in the lane's queue; one more while it works on one."""
        self.received = 0
        self.sent = 0
        self.dropped = 0
        self.started = False
        self.watched = False
        """Whether a `complete` node wants to hear of this one."""
        self._tasks: set[asyncio.Task[None]] = set()

    # --- what a type defines

    async def start(self) -> None:
        """Open what the node needs. Messages arrive only when every node of the flow has started."""

    def receive(self, message: Message) -> Awaitable[None] | Pending | None:
        """Handle one message. What it raises is reported with the message."""
        output = self.forward(message)
        if output is not None:
            self.send(message, output)

    def forward(self, message: Message) -> int | None:
        """Instead of `receive`, for a type that passes on the very message that it gets, changed in place, at most once
        and without waiting: the output port to send it to, None to end it here. Chains of such nodes are the fastest.
        """
        return None

    async def stop(self) -> None:
        """Close what `start` opened; called once after each `start`, also one that raised. Bounded to 10 s."""

    def wants(self, node: Node[NodeConfig]) -> bool:
        """Of one that observes: whether it wants to hear of this node."""
        return False

    def link(self, flow_id: str, flows: Mapping[str, Mapping[str, Node[NodeConfig]]]) -> None:
        """Of one that links: find partners in the running flows (flow id -> node id -> node), by setting `wires`."""

    def count_outputs(self) -> int:
        """The number of output ports with this node's config; known before `start`."""
        return self.outputs

    @classmethod
    def schema(cls) -> dict[str, object]:
        """The JSON Schema of the config, made from `Config`."""
        (found,), components = msgspec.json.schema_components(
            [cls.Config],
            schema_hook=lambda kind: {
                "x-any": True
            },  # `object`: any JSON value; an empty schema counts as none
            ref_template="#/$defs/{name}",
        )
        name = str(found.get("$ref", "")).rpartition("/")[2]
        schema = cast("dict[str, object]", components.pop(name) if name else found)
        if components:
            schema["$defs"] = components
        return schema

    # --- what a type uses

    @property
    def flow_id(self) -> str:
        """The id of the node's flow."""
        return self.lane.host.flow_id

    @property
    def environment(self) -> Mapping[str, str]:
        """The flow's variables, the device's environment and its secrets."""
        return self.lane.host.environment if self.surroundings is None else self.surroundings

    def send(self, message: Message, output: int = 0) -> None:
        """Give the message to all that is wired to the port; never waits. See `room`.

        The first receiver gets this very object, each other a clone.
        """
        if "_msgid" not in message:
            message["_msgid"] = new_id()
        self.sent += 1
        live = self.live
        if output >= len(live) or not (targets := live[output]):
            return
        run = current_run.get()
        if run is None or run.finished:
            run = self.lane.begin(self)
        if run.traced:
            run.sent(self.id, message)
            targets = self.wires[output]
        if len(targets) == 1:
            target = targets[0]
            target.lane.put(target, message, run)
            return
        copies = [
            clone(message) for _ in targets[1:]
        ]  # First: whoever gets the original may change it at once.
        targets[0].lane.put(targets[0], message, run)
        for target, copy in zip(targets[1:], copies, strict=True):
            target.lane.put(target, copy, run)

    def send_outputs(self, messages: Sequence[Message | Sequence[Message] | None]) -> None:
        """One entry for each port: None, a message or several. An object that comes twice is cloned."""
        seen: set[int] = set()
        for output, entry in enumerate(messages):
            if entry is None:
                continue
            for message in [entry] if isinstance(entry, dict) else entry:
                self.send(clone(message) if id(message) in seen else message, output)
                seen.add(id(message))

    async def room(self) -> None:
        """Wait while the flow has too much to do: a source awaits this before each message that it takes in, and
        whoever makes many messages of one now and then.
        """
        await self.lane.room(self)

    def status(self, text: str = "", fill: Fill | None = None, shape: Shape = "dot") -> None:
        """Show a line under the node; nothing at all removes it. `status` nodes get it as a message."""
        self.lane.host.show_status(self, text, fill, shape)

    def error(self, error: str | BaseException, message: Message | None = None) -> None:
        """Report an error: `catch` nodes get `message` with `error`; without any it goes to the log."""
        self.lane.host.report(self, error, message)

    def log(self, text: str, level: Level = "info") -> None:
        """Write a line to the device's log, with the flow and the node."""
        self.lane.host.log(self, text, level)

    def watch_changed(self) -> None:
        """Somebody began or ceased to watch the debug stream."""

    def debug(self, value: object, **more: object) -> None:
        """Show a value to whoever watches the debug stream."""
        self.lane.host.show_debug(self, value, more)

    @property
    def debug_watched(self) -> bool:
        """Whether anybody watches the debug stream."""
        return self.lane.host.debug_watched

    def clone(self, message: Message) -> Message:
        """A copy that may be changed or sent beside the original."""
        return clone(message)

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run `work` beside the flow until it ends or the node stops; what it raises is the node's error."""
        task = asyncio.get_running_loop().create_task(work, name=f"{self.type} {self.id}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    # --- what the engine uses

    def set_wires(self, wires: tuple[tuple[Node[NodeConfig], ...], ...]) -> None:
        """Who receives what this node sends, by output port."""
        self.wires = wires
        self.listen()

    def listen(self) -> None:
        """Find out anew who of the receivers is deaf."""
        self.live = tuple(
            tuple(target for target in targets if not target.deaf or target.watched) for targets in self.wires
        )
        self.straight = tuple(
            targets[0] if len(targets) == 1 and targets[0].forwards and targets[0].lane is self.lane else None
            for targets in self.live
        )

    async def close(self) -> None:
        """End what was spawned, then `stop`."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.stop()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.error(error)
