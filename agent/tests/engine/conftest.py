"""One engine for each test, and a way to see what reaches a node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from edgeflow_agent.engine import Engine, Message, Node, NodeConfig


class Tap(Node[NodeConfig]):
    """Keeps what it gets."""

    type = "tap"
    outputs = 0

    async def start(self) -> None:
        self.seen: list[Message] = []

    def forward(self, message: Message) -> None:
        self.seen.append(message)


class Bench:
    """An engine with `tap` nodes and short words for tests."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def run(self, nodes: list[dict[str, Any]], wires: list[tuple[Any, ...]], **more: Any) -> None:
        """Deploy and start the flow `f`; a wire is (source, target) or (source, target, output)."""
        await self.engine.deploy(
            {
                "id": "f",
                "name": "F",
                "nodes": nodes,
                "connections": [
                    {
                        "source": wire[0],
                        "target": wire[1],
                        **({"sourceOutput": wire[2]} if len(wire) > 2 else {}),
                    }
                    for wire in wires
                ],
                **more,
            }
        )
        await self.engine.start("f")

    async def through(
        self, kind: str, config: dict[str, Any], *messages: Any, outputs: int = 1
    ) -> list[list[Message]]:
        """What a lone node of this type sends for the messages, by output port. Payloads may stand for messages."""
        if self.engine.flows():
            await self.engine.remove("f")
        taps = [{"id": f"t{output}", "type": "tap"} for output in range(outputs)]
        wires = [("n", f"t{output}", output) for output in range(outputs)]
        await self.run([{"id": "n", "type": kind, "config": config}, *taps], wires)
        for message in messages:
            self.send("n", message)
        await self.quiet()
        return [self.seen(f"t{output}") for output in range(outputs)]

    def send(self, node: str, message: Any) -> None:
        given = (
            message
            if isinstance(message, dict) and ("payload" in message or "topic" in message)
            else {"payload": message}
        )
        self.engine.inject("f", node, dict(given))

    def seen(self, node: str) -> list[Message]:
        found = self.engine.node("f", node)
        return found.seen  # type: ignore[attr-defined]

    def payloads(self, node: str) -> list[object]:
        return [message.get("payload") for message in self.seen(node)]

    async def quiet(self, seconds: float = 10.0) -> None:
        """Until nothing moves in the flow."""
        deadline = asyncio.get_running_loop().time() + seconds
        calm = 0
        while calm < 3:
            await asyncio.sleep(0.005)
            busy = self.engine._flows["f"]._lane.load  # type: ignore[union-attr]
            calm = 0 if busy else calm + 1
            assert asyncio.get_running_loop().time() < deadline, f"{busy} messages are still under way"

    async def until(self, holds: Callable[[], object], seconds: float = 10.0) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while not holds():
            await asyncio.sleep(0.005)
            assert asyncio.get_running_loop().time() < deadline, "it did not happen"


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    made = Engine()
    made.registry.add(Tap)
    yield made
    await made.close()


@pytest.fixture
async def bench(engine: Engine) -> Bench:
    return Bench(engine)


class Folder:
    """A storage in a folder, as `state.StateFolder` is one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str, limit: int = 1 << 20) -> bytes | None:
        return (self.path / name).read_bytes() if (self.path / name).exists() else None

    def write(self, name: str, data: bytes) -> None:
        (self.path / name).write_bytes(data)

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)
