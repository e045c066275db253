"""The flows of this device as commands and the local API handle them: one place for who may change which.

A flow that the shadow desires is changed in the shadow; starting and stopping it here lasts until the next start of the
agent or the next change. All others are changed here, and what a person said of them lasts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast
from uuid import uuid4

import msgspec

from edgeflow_protocol import DocumentError
from edgeflow_protocol.bundle import BundleReference, Version, write_bundle

from .deploy import BundleSource, Deployer, FlowStatus, NotTrusted, Origin, Release, Trust, UpdateLock
from .deploy import FlowRefused as Refused
from .deploy.builtin import BuiltinEngine
from .engine import Engine, Flow, FlowUnknown, read_flow
from .engine import FlowRefused as EngineRefused


class FlowProblem(Exception):
    """It cannot be done. `str(error)` is a sentence; `missing`: there is no such flow."""

    def __init__(self, sentence: str, *, missing: bool = False) -> None:
        super().__init__(sentence)
        self.missing = missing


class Flows:
    """Reads and changes. `origin` says for whom: a command of the cloud, or somebody at the device."""

    def __init__(
        self,
        deployer: Deployer,
        runner: BuiltinEngine,
        engine: Engine,
        trust: Trust,
        lock: UpdateLock,
        source: BundleSource,
    ) -> None:
        self._deployer = deployer
        self._runner = runner
        self._engine = engine
        self._trust = trust
        self._lock = lock
        self._source = source

    def list(self) -> list[dict[str, object]]:
        """Every flow in short: `id name status node_count`, with `version enabled origin` and `error` if it has one."""
        return [self._summary(flow_id) for flow_id in self._deployer.flow_ids]

    def get(self, flow_id: str) -> dict[str, object]:
        """One flow whole: the summary with `description nodes connections`. Raises FlowProblem."""
        summary = self._summary(flow_id)
        flow = self._flow(flow_id)
        nothing: dict[str, object] = {"description": "", "nodes": [], "connections": []}
        if flow is None:
            return summary | nothing
        return summary | {
            "description": flow.description,
            "nodes": [_node(node) for node in msgspec.to_builtins(flow.nodes)],
            "connections": [
                {
                    "id": f"{wire.source}-{'all' if wire.output is None else wire.output}-{wire.target}",
                    "source": wire.source,
                    "target": wire.target,
                    "source_id": wire.source,
                    "target_id": wire.target,
                    **({} if wire.output is None else {"sourceOutput": wire.output}),
                }
                for wire in flow.wires
            ],
        }

    async def create(self, payload: Mapping[str, object], origin: Origin) -> dict[str, object]:
        """A new flow, stopped until it is started; the flow. Raises FlowProblem, StateError, CallFailed."""
        if "bundle" in payload:
            return await self._deploy_bundle(payload["bundle"], origin, new=True)
        given = payload.get("id") or payload.get("flow_id")
        flow_id = given if isinstance(given, str) and given else f"flow-{uuid4()}"
        if self._deployer.state(flow_id) is not None:
            raise FlowProblem(f"There is a flow {flow_id} already. Use update_flow to change it.")
        await self._deploy(flow_id, payload, origin, enabled=False)
        return self.get(flow_id)

    async def update(self, flow_id: str, payload: Mapping[str, object], origin: Origin) -> dict[str, object]:
        """A new version; what is not given stays. It is tried if the flow is started. Raises as `create`."""
        status = self._changeable(flow_id, origin)
        if "bundle" in payload:
            return await self._deploy_bundle(payload["bundle"], origin, new=False)
        inner = payload.get("flow")
        change = cast("Mapping[str, object]", inner) if isinstance(inner, Mapping) else payload
        parts = ("name", "description", "nodes", "connections", "edges", "variables", "config")
        definition = self._rewritten(flow_id)
        given = {name: change[name] for name in parts if name in change}
        if not given:
            raise FlowProblem("Nothing to change was given: send name, description, nodes or connections.")
        await self._deploy(flow_id, definition | given, origin, enabled=status.enabled)
        return self.get(flow_id)

    async def delete(self, flow_id: str, origin: Origin) -> None:
        """Stop and forget it. Raises FlowProblem, StateError."""
        self._changeable(flow_id, origin)
        await self._deployer.remove(flow_id)

    async def start(self, flow_id: str) -> str:
        """Run it; the id of the execution. Raises FlowProblem, StateError."""
        status = self._status(flow_id)
        if status.origin is Origin.DESIRED and not status.enabled:
            raise FlowProblem(
                f"The shadow desires the flow {flow_id} stopped. Set desired.flows.{flow_id}.enabled to true."
            )
        try:
            await self._deployer.set_enabled(flow_id, True)
            return await self._runner.start(flow_id)
        except Refused as error:
            raise FlowProblem(str(error)) from error

    async def stop(self, flow_id: str) -> None:
        """Stop it. Raises FlowProblem, StateError."""
        status = self._status(flow_id)
        if status.origin is Origin.DESIRED:
            await self._deployer.pause(flow_id)
        else:
            await self._deployer.set_enabled(flow_id, False)

    async def go_back(self, flow_id: str, origin: Origin) -> dict[str, object]:
        """Try the version before. Raises FlowProblem, StateError."""
        self._changeable(flow_id, origin)
        try:
            if not await self._deployer.go_back(flow_id):
                raise FlowProblem(f"There is no version of the flow {flow_id} to go back to.")
        except Refused as error:
            raise FlowProblem(str(error)) from error
        return self.get(flow_id)

    # --- inside

    async def _deploy(
        self, flow_id: str, payload: Mapping[str, object], origin: Origin, *, enabled: bool
    ) -> None:
        self._refuse_locked(origin)
        try:
            flow = read_flow(payload, flow_id)
            if problems := self._engine.check(flow):
                raise FlowProblem(" ".join(problems))
            data = write_bundle(flow_id, self._next_version(flow_id), _definition(payload))
            release = Release(data.decode())
            if origin is not Origin.LOCAL:
                self._trust.check(release)
            await self._deployer.deploy(
                flow_id, release.bundle.version, release, enabled=enabled, origin=origin
            )
        except (EngineRefused, DocumentError, NotTrusted, Refused) as error:
            raise FlowProblem(str(error)) from error

    async def _deploy_bundle(self, given: object, origin: Origin, *, new: bool) -> dict[str, object]:
        self._refuse_locked(origin)
        try:
            reference = msgspec.convert(given, BundleReference)
            release = await self._source.fetch(reference)
            bundle = release.bundle
            state = self._deployer.state(bundle.flow_id)
            if new and state is not None:
                raise FlowProblem(f"There is a flow {bundle.flow_id} already. Use update_flow to change it.")
            if state is not None:
                self._changeable(bundle.flow_id, origin)
            enabled = state is not None and state.enabled
            await self._deployer.deploy(
                bundle.flow_id, bundle.version, release, enabled=enabled, origin=origin
            )
        except msgspec.ValidationError as error:
            raise FlowProblem(f"`bundle` needs sha256, signature and key_id: {error}.") from error
        except (DocumentError, NotTrusted, Refused) as error:
            raise FlowProblem(str(error)) from error
        return self.get(bundle.flow_id)

    def _next_version(self, flow_id: str) -> Version:
        state = self._deployer.state(flow_id)
        numbers = [held.version for held in state.slots.values()] if state else []
        if state is not None and state.failure is not None:
            numbers.append(state.failure.version)
        return max((number for number in numbers if isinstance(number, int)), default=0) + 1

    def _refuse_locked(self, origin: Origin) -> None:
        if origin is not Origin.LOCAL and self._lock.locked:
            raise FlowProblem(self._lock.sentence)

    def _changeable(self, flow_id: str, origin: Origin) -> FlowStatus:
        status = self._status(flow_id)
        self._refuse_locked(origin)
        if status.origin is Origin.DESIRED:
            raise FlowProblem(
                f"The flow {flow_id} is here because the shadow desires it. Change it there: desired.flows.{flow_id}."
            )
        return status

    def _status(self, flow_id: str) -> FlowStatus:
        status = self._deployer.status(flow_id)
        if status is None:
            raise FlowProblem(str(FlowUnknown(flow_id)), missing=True)
        return status

    def _flow(self, flow_id: str) -> Flow | None:
        definition = self._deployer.definition(flow_id)
        try:
            return None if definition is None else read_flow(definition, flow_id)
        except EngineRefused:
            return None

    def _rewritten(self, flow_id: str) -> dict[str, object]:
        """The definition with `nodes` and `connections`, whatever spelling it came in: parts of it can be changed."""
        definition = dict(self._deployer.definition(flow_id) or {})
        flow = self._flow(flow_id)
        if flow is None or ("nodes" in definition and "flows" not in definition):
            return definition
        return {
            "name": flow.name,
            "description": flow.description,
            "nodes": msgspec.to_builtins(flow.nodes),
            "connections": [
                {"source": wire.source, "target": wire.target, "sourceOutput": wire.output}
                for wire in flow.wires
            ],
            "variables": msgspec.to_builtins(flow.variables),
        }

    def _summary(self, flow_id: str) -> dict[str, object]:
        status = self._status(flow_id)
        flow = self._flow(flow_id)
        summary: dict[str, object] = {
            "id": flow_id,
            "name": (flow.name if flow else "") or flow_id,
            "status": _PUBLISHED.get(status.status, status.status),
            "node_count": len(flow.nodes) if flow else 0,
            "version": status.version,
            "enabled": status.enabled,
            "origin": str(status.origin),
            "state": status.status,
        }
        if status.error:
            summary["error"] = status.error
        return summary


_PUBLISHED = {"testing": "running", "rolled_back": "running", "failed": "error"}
"""The published statuses are idle, running, stopped and error; `state` has ours."""


def _definition(payload: Mapping[str, object]) -> dict[str, object]:
    """What of a payload is the flow: not how it was addressed."""
    return {
        name: value for name, value in payload.items() if name not in ("id", "flow_id", "status", "enabled")
    }


def _node(node: Mapping[str, object]) -> dict[str, object]:
    """A node with its place in both spellings."""
    shown = dict(node)
    if "x" in shown and "y" in shown:
        shown["position"] = {"x": shown["x"], "y": shown["y"]}
    return shown
