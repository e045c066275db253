"""One deployed flow: its nodes while it runs, who is wired to whom, and what is told of them."""

from __future__ import annotations

import asyncio
import json
import time
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import cast

from ..pins import Pins
from .configuring import ConfigInvalid, fill_in, make_config
from .context import Contexts
from .doors import Doors
from .flow import Flow, FlowRefused, NodeSpec
from .host import AnyNode
from .lane import Lane
from .message import Message
from .observing import Observing, name_of_node, say
from .recording import Recorder
from .registry import Registry, UnknownType
from .run import Execution, Run
from .streams import FlowChanged, Streams
from .wiring import connect, link

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


def check(flow: Flow, registry: Registry, environment: Mapping[str, str] | None = None) -> list[str]:
    """What keeps the flow from running: unknown types by name, configs that do not fit."""
    problems: list[str] = []
    for spec in flow.nodes:
        if spec.disabled:
            continue
        try:
            make_config(spec, registry.get(spec.type), surround(spec, environment or {}))
        except UnknownType as error:
            problems.append(f"Node {name_of(spec)}: {error}")
        except ConfigInvalid as error:
            problems.append(f"Node {name_of(spec)} ({spec.type}) has a config that does not fit: {error}.")
    return problems


def surround(spec: NodeSpec, environment: Mapping[str, str]) -> Mapping[str, str]:
    """The environment as a node has it: its own variables, each of which may name those before it, over the flow's."""
    if not spec.variables:
        return environment
    own: dict[str, str] = {}
    whole = ChainMap(own, cast("dict[str, str]", environment))
    for variable in spec.variables:
        own[variable.name] = str(fill_in(_spell(variable.value), whole))
    return whole


def _remembering(flow: Flow) -> set[str]:
    """The ids under which the flow's nodes and its instances of subflows remember things."""
    return {spec.id for spec in flow.nodes} | {spec.inside for spec in flow.nodes if spec.inside}


def name_of(spec: NodeSpec) -> str:
    """A node as an error names it."""
    return f"{spec.name!r} ({spec.id})" if spec.name else spec.id


class RunningFlow(Observing):
    """The host of one flow's lane. `status`: idle (never started), running, stopped, error."""

    def __init__(
        self,
        flow: Flow,
        registry: Registry,
        contexts: Contexts,
        streams: Streams,
        environment: Callable[[], Mapping[str, str]],
        keep: Callable[[Execution], None],
        pins: Pins,
        doors: Doors,
    ) -> None:
        self.pins = pins
        self.doors = doors
        self.flow = flow
        self.flow_id = flow.id
        self.contexts = contexts
        self.streams = streams
        self.environment: Mapping[str, str] = {}
        self.status = "idle"
        self.error = ""
        self.nodes: dict[str, AnyNode] = {}
        self.recorder = Recorder(flow.id, keep)
        self.recorder.flow_name = flow.name
        self._registry = registry
        self._read_environment = environment
        self._lane: Lane | None = None
        self._specs: dict[str, tuple[NodeSpec, object]] = {}
        super().__init__()

    # --- life

    async def start(self, link_all: Callable[[], None]) -> str:
        """Start every node, then let messages flow. Raises FlowRefused with the node that did not start."""
        if self.status == "running":
            return self.recorder.last_start
        self.environment = self._make_environment()
        if problems := check(self.flow, self._registry, self.environment):
            self._set_status("error", " ".join(problems))
            raise FlowRefused(problems)
        self._lane = Lane(self)
        run = self.recorder.begin_start()
        try:
            await self._start_nodes(self._lane, self.flow.nodes, run)
        except FlowRefused as error:
            self.recorder.end_start(run, self, error=str(error))
            await self._close(self._lane)
            self._set_status("error", str(error))
            raise
        except BaseException:
            await self._close(self._lane)
            self._set_status("stopped")
            raise
        self._set_status("running")
        link_all()
        self.listen()
        self.recorder.end_start(run, self)
        self._lane.open(self.nodes.values())
        return self.recorder.last_start

    async def stop(self) -> None:
        """Stop every node. A flow that does not run is left alone, but for `error`, which becomes `stopped`."""
        if self._lane is not None:
            await self._close(self._lane)
        if self.status != "idle":
            self._set_status("stopped")

    async def replace(self, flow: Flow) -> None:
        """Become another version; of a running flow, only nodes that changed stop and start."""
        before, self.flow = self.flow, flow
        self.recorder.flow_name = flow.name
        gone = _remembering(before) - _remembering(flow)
        lane = self._lane
        if lane is None:
            for node_id in gone:
                self.contexts.forget_node(self.flow_id, node_id)
            if self.status == "error":
                self._set_status("stopped")
            return
        lane.pause()
        self.environment = self._make_environment()
        wanted = {spec.id: spec for spec in flow.nodes if not spec.disabled}
        changed = [spec for spec in wanted.values() if self._specs.get(spec.id) != self._key(spec)]
        leaving = [node for node_id, node in self.nodes.items() if node_id not in wanted] + [
            self.nodes[spec.id] for spec in changed if spec.id in self.nodes
        ]
        for node in leaving:
            lane.drop_node(node)
            del self.nodes[node.id], self._specs[node.id]
            await self._close_node(node)
        for node_id in gone:
            self.contexts.forget_node(self.flow_id, node_id)
        for node_id, node in self.nodes.items():
            node.name = wanted[node_id].name
        try:
            await self._start_nodes(lane, changed, None)
        except FlowRefused as error:
            await self._close(lane)
            self._set_status("error", str(error))
            raise
        self.listen()
        lane.open(self.nodes.values())

    def _make_environment(self) -> Mapping[str, str]:
        variables = {variable.name: _spell(variable.value) for variable in self.flow.variables}
        return ChainMap(variables, dict(self._read_environment()))

    def _key(self, spec: NodeSpec) -> tuple[NodeSpec, object]:
        """What must be equal for a node to go on running: its type and its config as filled in."""
        node = self._registry.get(spec.type)
        around = surround(spec, self.environment)
        used = make_config(spec, node, around)
        plain = NodeSpec(id=spec.id, type=spec.type, config=spec.config, inside=spec.inside)
        return plain, (used, dict(around) if node.reads_environment or spec.variables else None)

    async def _start_nodes(self, lane: Lane, specs: Iterable[NodeSpec], run: Run | None) -> None:
        begun: list[AnyNode] = []
        for spec in specs:
            if spec.disabled:
                continue
            kind = self._registry.get(spec.type)
            around = surround(spec, self.environment)
            node = kind(spec.id, spec.name, make_config(spec, kind, around), lane)
            if spec.variables:
                node.surroundings = around
            if spec.inside:
                node.flow_context = self.contexts.node(self.flow_id, spec.inside)
            self.nodes[spec.id] = node
            self._specs[spec.id] = self._key(spec)
            begun.append(node)
        connect(self.nodes, self.flow.wires)
        self.observe(self.nodes)
        for node in begun:
            started = time.perf_counter()
            trace = run.trace(node.id) if run is not None else None
            try:
                async with asyncio.timeout(_START_SECONDS):
                    node.started = True
                    await node.start()
            except Exception as error:
                text = (
                    f"took longer than {_START_SECONDS:.0f} s"
                    if isinstance(error, TimeoutError)
                    else say(error)
                )
                if trace is not None:
                    trace.error = text
                raise FlowRefused(
                    f"Node {name_of_node(node)} ({node.type}) of flow {self.flow.name or self.flow_id!r} did not "
                    f"start: {text}"
                ) from error
            finally:
                if trace is not None:
                    trace.worked = time.perf_counter() - started

    async def _close(self, lane: Lane) -> None:
        self._lane = None
        await lane.close()
        nodes = list(self.nodes.values())
        await asyncio.gather(*(self._close_node(node) for node in nodes))
        self.nodes.clear()
        self._specs.clear()
        self.forget_statuses()
        self.recorder.cancel(nodes)

    async def _close_node(self, node: AnyNode) -> None:
        if not node.started:
            return
        node.started = False
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await node.close()
        except Exception as error:
            text = "took too long" if isinstance(error, TimeoutError) else say(error)
            self.log(node, f"did not stop cleanly: {text}", "warning")

    # --- the lane's host

    def begin_run(self, node: AnyNode) -> Run:
        return self.recorder.begin(node.id)

    def end_run(self, run: Run) -> None:
        self.recorder.end(run, self)

    # --- for the engine

    @property
    def linkable(self) -> bool:
        """Whether the flow's links take part."""
        return self.status == "running"

    def listen(self) -> None:
        """Let debug nodes know whether they are watched, and the others which of them are not."""
        self.recorder.watched = self.streams.wanted("debug")
        for node in self.nodes.values():
            node.watch_changed()
        for node in self.nodes.values():
            node.listen()

    def link(self, flows: Iterable[RunningFlow]) -> None:
        """Join this flow's link-outs to the link-ins of `flows`."""
        link(self.nodes, self.flow_id, {flow.flow_id: flow.nodes for flow in flows})

    @property
    def executions_total(self) -> int:
        """Executions since the flow was deployed."""
        return self.recorder.total

    @property
    def executions_failed(self) -> int:
        """Those of them that failed."""
        return self.recorder.failed

    def executions_under_way(self) -> list[Execution]:
        """Those that are not over."""
        return self.recorder.under_way(self)

    def node(self, node_id: str) -> AnyNode:
        """A running node. Raises FlowRefused."""
        if self.status != "running":
            raise FlowRefused(f"The flow {self.flow.name or self.flow_id} does not run. Start it first.")
        try:
            return self.nodes[node_id]
        except KeyError:
            raise FlowRefused(
                f"The flow {self.flow.name or self.flow_id} has no running node {node_id}."
            ) from None

    def inject(self, node_id: str, message: Message) -> None:
        """Deliver a message to a node, as a new execution."""
        node = self.node(node_id)
        node.lane.queue(node, message, self.recorder.begin(node_id))

    def _set_status(self, status: str, error: str = "") -> None:
        changed = (status, error) != (self.status, self.error)
        self.status, self.error = status, error
        if changed:
            self.streams.put(
                FlowChanged(
                    time=datetime.now(UTC),
                    flow_id=self.flow_id,
                    status=status,
                    action="started" if status == "running" else "stopped",
                    name=self.flow.name,
                    error=error,
                )
            )

    def announce(self, action: str, before: Flow | None) -> None:
        """Tell that the flow is there, or is another version than before."""
        old = {spec.id: spec.type for spec in before.nodes} if before is not None else {}
        new = {spec.id: spec.type for spec in self.flow.nodes}
        self.streams.put(
            FlowChanged(
                time=datetime.now(UTC),
                flow_id=self.flow_id,
                status=self.status,
                action=action,
                name=self.flow.name,
                error=self.error,
                added={key: kind for key, kind in new.items() if old.get(key) != kind},
                removed={key: kind for key, kind in old.items() if new.get(key) != kind},
            )
        )


def _spell(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
