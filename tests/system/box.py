"""A device for tests that break things: keeps what was not acknowledged, does a command once, comes back."""

import asyncio
import itertools
import json
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2 as httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

HELLO: dict[str, Any] = {"type": "connect", "version": "1.0.0", "capabilities": ["telemetry", "shadow"]}


def now() -> str:
    return datetime.now(UTC).isoformat()


@dataclass
class Box:
    """`acknowledged`, `done` and `desired` are its ledger. `interval`: seconds between two samples, 0 for none."""

    device_id: str
    api_key: str
    url: str
    interval: float = 0.0
    comes_back: bool = True
    boot_id: str = field(default_factory=lambda: f"{random.getrandbits(64):016x}")
    sequence: int = 0
    unacknowledged: dict[int, dict[str, Any]] = field(default_factory=dict)
    acknowledged: set[int] = field(default_factory=set)
    done: Counter[str] = field(default_factory=Counter)
    answers: dict[str, Any] = field(default_factory=dict)
    desired: list[int] = field(default_factory=list)
    closes: list[int | None] = field(default_factory=list)
    drains: int = 0
    socket: ClientConnection | None = None
    is_in: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    @classmethod
    async def make(cls, api: httpx.AsyncClient, name: str, url: str, **more: Any) -> "Box":
        """Register a device, as its owner."""
        made = await api.post("/devices", json={"name": name})
        assert made.status_code == 201, made.text
        return cls(made.json()["device_id"], made.json()["api_key"], url, **more)

    async def start(self) -> "Box":
        """Run until `stop`; returns once it is in."""
        self._task = asyncio.create_task(self._run())
        await asyncio.wait_for(self.is_in.wait(), 20)
        return self

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def dial(self, url: str) -> ClientConnection:
        """One connection that is in."""
        socket = await connect(url, compression=None, ping_interval=None, proxy=None, open_timeout=5)
        hello = {**HELLO, "device_id": self.device_id, "api_key": self.api_key, "boot_id": self.boot_id}
        await socket.send(json.dumps(hello))
        said = json.loads(await asyncio.wait_for(socket.recv(), 5))
        if said["type"] != "connected":
            await socket.close()
            raise ConnectionError(said)
        return socket

    async def _run(self) -> None:
        measuring = asyncio.create_task(self._measure())
        try:
            for _ in itertools.count():
                with suppress(OSError, WebSocketException, TimeoutError, ConnectionError):
                    self.socket = await self.dial(self.url)
                    try:
                        self.is_in.set()
                        for frame in list(self.unacknowledged.values()):
                            await self._say(frame)
                        async for text in self.socket:
                            await self._hear(json.loads(text))
                    finally:
                        self.is_in.clear()
                        self.closes.append(self.socket.close_code)
                        await self.socket.close()
                if not self.comes_back:
                    return
                await asyncio.sleep(random.uniform(0.05, 0.5))
        finally:
            measuring.cancel()

    async def _say(self, frame: dict[str, Any]) -> None:
        if self.socket is not None:
            await self.socket.send(json.dumps(frame))

    async def _measure(self) -> None:
        while self.interval:
            self.sequence += 1
            frame = {
                "type": "telemetry",
                "boot_id": self.boot_id,
                "sequence": self.sequence,
                "samples": [{"time": now(), "cpu_percent": float(self.sequence)}],
            }
            self.unacknowledged[self.sequence] = frame
            if self.is_in.is_set():
                with suppress(WebSocketException):
                    await self._say(frame)
            await asyncio.sleep(self.interval)

    async def _hear(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "ack":
                for sequence in [one for one in self.unacknowledged if one <= frame["sequence"]]:
                    self.acknowledged.add(sequence)
                    del self.unacknowledged[sequence]
            case "command":
                if frame["id"] not in self.answers:  # its journal
                    self.done[frame["id"]] += 1
                    self.answers[frame["id"]] = {"did": frame["action"], "n": len(self.answers)}
                data = self.answers[frame["id"]]
                await self._say({"type": "response", "id": frame["id"], "status": "success", "data": data})
            case "shadow_desired":
                self.desired.append(frame["version"])
                report = {"type": "shadow_reported", "id": f"r{frame['version']}", "reported": frame["delta"]}
                await self._say(report)
            case "drain":
                self.drains += 1
                asyncio.get_running_loop().call_later(
                    random.uniform(0, frame["within"]), lambda: asyncio.ensure_future(self._leave())
                )
            case _:
                pass

    async def _leave(self) -> None:
        if self.socket is not None:
            await self.socket.close(1000)
