"""The built-in engine as the deployer sees it."""

from __future__ import annotations

from collections.abc import Mapping

from ..engine import Engine, FlowUnknown, read_flow
from ..engine import FlowRefused as EngineRefused
from .engine import FlowRefused

_FAILURES = 3
"""So many executions of a new release may fail, if none succeeds, before it is ill."""


class BuiltinEngine:
    """`FlowEngine` over `Engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._before: dict[str, tuple[int, int]] = {}

    async def put(self, flow_id: str, definition: Mapping[str, object]) -> None:
        """See FlowEngine."""
        try:
            state = await self._engine.deploy(read_flow(definition, flow_id))
        except EngineRefused as error:
            raise FlowRefused(str(error)) from error
        self._before[flow_id] = (state.executions_total, state.executions_failed)

    async def start(self, flow_id: str) -> str:
        """See FlowEngine."""
        try:
            return await self._engine.start(flow_id)
        except (EngineRefused, FlowUnknown) as error:
            raise FlowRefused(str(error)) from error

    async def stop(self, flow_id: str) -> None:
        """See FlowEngine."""
        try:
            await self._engine.stop(flow_id)
        except FlowUnknown:
            return

    async def remove(self, flow_id: str) -> None:
        """See FlowEngine."""
        self._before.pop(flow_id, None)
        try:
            await self._engine.remove(flow_id)
        except FlowUnknown:
            return

    def trouble(self, flow_id: str) -> str:
        """See FlowEngine."""
        try:
            state = self._engine.state(flow_id)
        except FlowUnknown:
            return "The flow is not in the engine."
        if state.status == "running":
            return ""
        return state.error or "The flow has stopped."

    def illness(self, flow_id: str) -> str:
        """See FlowEngine."""
        if trouble := self.trouble(flow_id):
            return trouble
        state = self._engine.state(flow_id)
        total, failed = self._before.get(flow_id, (0, 0))
        # One that always succeeds is the start itself.
        total, failed = state.executions_total - total - 1, state.executions_failed - failed
        if failed < _FAILURES or failed < total:
            return ""
        last = next((run.error for run in self._engine.executions(flow_id, "failed", 1)), "")
        return f"All of its first {failed} executions failed. {last}".strip()
