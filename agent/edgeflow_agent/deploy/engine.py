"""What the deployer needs of whatever runs flows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class FlowRefused(Exception):
    """The engine cannot run this flow. `str(error)` is a sentence that names what is wrong."""


class FlowEngine(Protocol):
    """Flows by their id. A flow that is put in again is replaced, as little of it as changed."""

    async def put(self, flow_id: str, definition: Mapping[str, object]) -> None:
        """Hold this definition; what runs of the flow goes on with it. Raises FlowRefused."""
        ...

    async def start(self, flow_id: str) -> str:
        """Run it; the id of the execution. One that runs already goes on. Raises FlowRefused."""
        ...

    async def stop(self, flow_id: str) -> None:
        """Stop it; one that does not run is fine."""
        ...

    async def remove(self, flow_id: str) -> None:
        """Stop and forget it; one that is not there is fine."""
        ...

    def trouble(self, flow_id: str) -> str:
        """Why a started flow does not run, as a sentence; empty while it does."""
        ...

    def illness(self, flow_id: str) -> str:
        """Why a release that was put in last is not good: it does not run, or all that it does fails; else empty."""
        ...
