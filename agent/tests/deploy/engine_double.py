"""An engine that runs nothing, and says what it was told: `ill` definitions start and then fail."""

from __future__ import annotations

from collections.abc import Mapping

from edgeflow_agent.deploy import FlowRefused


class EngineDouble:
    """Definitions: `{"refuse": text}` cannot start, `{"ill": text}` starts and is found ill."""

    def __init__(self) -> None:
        self.held: dict[str, Mapping[str, object]] = {}
        self.running: set[str] = set()
        self.starts: list[tuple[str, object]] = []

    async def put(self, flow_id: str, definition: Mapping[str, object]) -> None:
        if "refuse" in definition:
            raise FlowRefused(str(definition["refuse"]))
        self.held[flow_id] = definition

    async def start(self, flow_id: str) -> str:
        self.running.add(flow_id)
        self.starts.append((flow_id, self.held[flow_id].get("v")))
        return f"exec-{len(self.starts)}"

    async def stop(self, flow_id: str) -> None:
        self.running.discard(flow_id)

    async def remove(self, flow_id: str) -> None:
        self.running.discard(flow_id)
        self.held.pop(flow_id, None)

    def trouble(self, flow_id: str) -> str:
        return "" if flow_id in self.running else "The flow stopped."

    def illness(self, flow_id: str) -> str:
        return self.trouble(flow_id) or str(self.held[flow_id].get("ill", ""))

    def version(self, flow_id: str) -> object:
        """What runs, None when nothing does."""
        return self.held[flow_id].get("v") if flow_id in self.running else None
