"""The engine: the flows of this device, deployed, started, stopped; what they did and do."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec

from ..pins import NoBoard, Pins
from .catalogue import describe_type
from .context import Contexts, Storage
from .doors import Doors
from .flow import Flow, FlowRefused, FlowUnknown
from .host import AnyNode
from .message import Message, new_id
from .reading import read_flow
from .registry import Registry, UnknownType
from .run import Execution, without_messages
from .running import RunningFlow, check
from .streams import ExecutionEnded, FlowChanged, Kind, Streams, Subscription

_log = logging.getLogger(__name__)
KEPT_EXECUTIONS = 100
_FLUSH_SECONDS = 5.0


class FlowState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A deployed flow: `status` idle, running, stopped or error (then `error` says why)."""

    id: str
    name: str
    status: str
    node_count: int
    error: str = ""
    executions_total: int = 0
    executions_failed: int = 0


class FlowTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What the wire's `sample.flows` carries."""

    total: int
    running: int
    stopped: int
    executions_total: int
    executions_failed: int


class Engine:
    """Runs flows in this process's event loop. Definitions are the caller's to keep; contexts are kept in `storage`.

    `environment()` gives the device's environment and secrets, read at each start and deploy of a flow. `pins` are
    what hardware nodes use; without, they refuse to start.
    """

    def __init__(
        self,
        storage: Storage | None = None,
        *,
        registry: Registry | None = None,
        environment: Callable[[], Mapping[str, str]] | None = None,
        pins: Pins | None = None,
    ) -> None:
        self.pins = pins or Pins(NoBoard("This engine was given no board."))
        self.registry = registry or Registry()
        self.doors = Doors()
        self.streams = Streams()
        self.streams.changed = self._listen
        self.contexts = Contexts(storage)
        self._environment = environment or dict
        self._flows: dict[str, RunningFlow] = {}
        self._executions: deque[Execution] = deque(maxlen=KEPT_EXECUTIONS)
        self._gone = (0, 0)
        self._lock = asyncio.Lock()
        self._flusher: asyncio.Task[None] | None = None

    # --- flows

    async def deploy(self, flow: Flow | Mapping[str, object]) -> FlowState:
        """Put a flow (any spelling) on the device, or a new version in the place of the old one.

        A running flow goes on running: only nodes that changed are stopped and started. One that was not running waits
        for `start`. Raises FlowRefused, and then nothing changed; but a node of a running flow that does not start
        leaves the flow stopped with status `error`.
        """
        flow = read_flow(flow)
        if problems := self.check(flow):
            raise FlowRefused(problems)
        async with self._lock:
            running = self._flows.get(flow.id)
            if running is None:
                running = self._flows[flow.id] = RunningFlow(
                    flow,
                    self.registry,
                    self.contexts,
                    self.streams,
                    self._environment,
                    self._keep,
                    self.pins,
                    self.doors,
                )
                running.announce("created", None)
            else:
                before = running.flow
                await running.replace(flow)
                running.announce("updated", before)
            self._link()
        return self.state(flow.id)

    async def start(self, flow_id: str) -> str:
        """Start a flow that is deployed; answers the id of the execution `start`, whose record says how each node
        started. A running one is left alone. Raises FlowUnknown; FlowRefused with the node that did not start.
        """
        async with self._lock:
            flow = self._find(flow_id)
            if self._flusher is None:
                self._flusher = asyncio.get_running_loop().create_task(self._flush_often(), name="contexts")
            return await flow.start(self._link)

    async def stop(self, flow_id: str) -> None:
        """Stop a flow; what is under way is cancelled. A stopped one is left alone. Raises FlowUnknown."""
        async with self._lock:
            await self._find(flow_id).stop()
            self._link()
        await self._flush()

    async def remove(self, flow_id: str) -> None:
        """Stop a flow and forget it and what it remembered. Raises FlowUnknown."""
        async with self._lock:
            flow = self._find(flow_id)
            await flow.stop()
            del self._flows[flow_id]
            self._gone = (self._gone[0] + flow.executions_total, self._gone[1] + flow.executions_failed)
            self._link()
            self.contexts.forget_flow(flow_id)
            self.streams.put(
                FlowChanged(
                    time=datetime.now(UTC),
                    flow_id=flow_id,
                    status="removed",
                    action="deleted",
                    name=flow.flow.name,
                    removed={spec.id: spec.type for spec in flow.flow.nodes},
                )
            )

    def check(self, flow: Flow | Mapping[str, object]) -> list[str]:
        """What keeps a flow from running, a sentence for each fault; imports the types that it uses."""
        return check(read_flow(flow), self.registry)

    async def close(self) -> None:
        """Stop everything and keep the contexts."""
        if self._flusher is not None:
            self._flusher.cancel()
            await asyncio.gather(self._flusher, return_exceptions=True)
            self._flusher = None
        async with self._lock:
            for flow in self._flows.values():
                await flow.stop()
        await self._flush()
        self.streams.close()

    # --- what is there

    def flows(self) -> list[FlowState]:
        """All deployed flows."""
        return [self.state(flow_id) for flow_id in self._flows]

    def state(self, flow_id: str) -> FlowState:
        """One flow's state. Raises FlowUnknown."""
        running = self._find(flow_id)
        return FlowState(
            id=flow_id,
            name=running.flow.name,
            status=running.status,
            node_count=len(running.flow.nodes),
            error=running.error,
            executions_total=running.executions_total,
            executions_failed=running.executions_failed,
        )

    def definition(self, flow_id: str) -> Flow:
        """The flow as deployed. Raises FlowUnknown."""
        return self._find(flow_id).flow

    def executions(
        self, flow_id: str | None = None, status: str | None = None, limit: int = KEPT_EXECUTIONS
    ) -> list[Execution]:
        """The newest executions (100 are kept, those under way included), newest first."""
        under_way = [run for flow in self._flows.values() for run in flow.executions_under_way()]
        found = [
            execution
            for execution in [*under_way, *reversed(self._executions)]
            if (flow_id is None or execution.flow_id == flow_id)
            and (status is None or execution.status == status)
        ]
        return found[:limit]

    def totals(self) -> FlowTotals:
        """Counts over all flows; executions since the engine began, removed flows' too."""
        running = sum(flow.status == "running" for flow in self._flows.values())
        return FlowTotals(
            total=len(self._flows),
            running=running,
            stopped=len(self._flows) - running,
            executions_total=self._gone[0] + sum(flow.executions_total for flow in self._flows.values()),
            executions_failed=self._gone[1] + sum(flow.executions_failed for flow in self._flows.values()),
        )

    def subscribe(self, *kinds: Kind) -> Subscription:
        """Events of these kinds (all when none is named) from now on. `close` it when done."""
        return self.streams.subscribe(kinds or ("execution", "debug", "status", "log", "flow"))

    # --- by hand

    def inject(self, flow_id: str, node_id: str, message: Message | None = None) -> None:
        """Give a running flow's node a message from outside; an `inject` node with none fires as configured.

        Raises FlowUnknown; FlowRefused when it does not run or has no such node.
        """
        message = {} if message is None else message
        message.setdefault("_msgid", new_id())
        self._find(flow_id).inject(node_id, message)

    def node(self, flow_id: str, node_id: str) -> AnyNode:
        """A running node. Raises FlowUnknown, FlowRefused."""
        return self._find(flow_id).node(node_id)

    def node_types(self) -> list[dict[str, object]]:
        """The catalogue: `type title category group description inputs outputs schema` of each type that loads.
        Imports every type's module.
        """
        entries: list[dict[str, object]] = []
        for name in self.registry.names():
            try:
                node = self.registry.get(name)
            except UnknownType as error:
                _log.warning("%s", error)
                continue
            entries.append(describe_type(name, node))
        return entries

    # --- inside

    def _find(self, flow_id: str) -> RunningFlow:
        try:
            return self._flows[flow_id]
        except KeyError:
            raise FlowUnknown(flow_id) from None

    def _link(self) -> None:
        """Join link-out to link-in, within a flow and between flows."""
        flows = [flow for flow in self._flows.values() if flow.linkable]
        for flow in flows:
            flow.link(flows)

    def _listen(self) -> None:
        for flow in self._flows.values():
            flow.listen()

    def _keep(self, execution: Execution) -> None:
        self.streams.put(ExecutionEnded(execution))
        self._executions.append(without_messages(execution))

    async def _flush_often(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            await self._flush()

    async def _flush(self) -> None:
        if not self.contexts.dirty:
            return
        files = self.contexts.collect()
        try:
            await asyncio.to_thread(self.contexts.write, files)
        except Exception as error:  # A StateError of whatever storage this is: said, and tried again.
            _log.error("What flows remember could not be kept: %s", error)
            self.contexts.keep_dirty(files)
