"""Our side of a flow's JavaScript process: starts it, feeds it, hears it, ends it when it hangs."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ..host import AnyNode
from ..node import NodeError

_HEADER = struct.Struct("<IcII")
_HERE = Path(__file__).parent
_CONFINE = _HERE.parent / "sandbox" / "confine.py"
_GRACE = 2.0
_TOGETHER = 64
"""Pieces (two a frame) that are written at once: small enough for both processes to work at the same time."""
MEMORY = 32 * 1024 * 1024
"""For each node's script."""
_ADDRESS_SPACE = 1024 * 1024 * 1024


class Script(Protocol):
    """A function node, as its process answers it."""

    number: int

    def answered(self, kind: bytes, seq: int, body: bytes) -> None:
        """A frame of the worker for this node; see worker.py for the kinds."""
        ...

    def lost(self, reason: str) -> None:
        """The process is gone; what was under way fails, and `reason` says why."""
        ...


class Bridge(asyncio.Protocol):
    """One process. All on the event loop."""

    def __init__(self, seconds: float, gone: Callable[[Bridge], None]) -> None:
        self.alive = False
        self._gone = gone
        self._seconds = seconds
        self._scripts: dict[int, Script] = {}
        self._buffer = bytearray()
        self._out: list[bytes] = []
        self._scheduled = False
        self._heard = 0.0
        self._asked = False
        self._watch: asyncio.TimerHandle | None = None
        self._numbers = 0

    async def open(self) -> None:
        """Start the process. Raises NodeError."""
        spec = importlib.util.find_spec("_quickjs")
        if spec is None or spec.origin is None:
            raise NodeError("JavaScript needs the package quickjs-ng. Install it beside the agent.")
        self._loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603, ASYNC220  fixed arguments; takes a few milliseconds
                [
                    sys.executable, "-I", "-S", str(_HERE / "worker.py"), str(theirs.fileno()),
                    str(Path(spec.origin).parent), str(_CONFINE), str(_HERE / "prelude.js"), str(_ADDRESS_SPACE),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8"},
                cwd="/",
            )  # fmt: skip
        ours.setblocking(False)
        self._transport, _ = await self._loop.create_connection(lambda: self, sock=ours)
        self.alive = True
        self._heard = self._loop.time()
        self._watch = self._loop.call_later(1.0, self._look)

    def allow(self, seconds: float) -> None:
        """A script that may run so long is in it: it must not be thought hung before."""
        self._seconds = max(self._seconds, seconds)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def add(self, script: Script) -> int:
        """A number for a script's frames."""
        self._numbers += 1
        self._scripts[self._numbers] = script
        return self._numbers

    def remove(self, number: int) -> None:
        """Nothing more for this script."""
        self._scripts.pop(number, None)

    @property
    def empty(self) -> bool:
        """Whether no script is left."""
        return not self._scripts

    def put(self, kind: bytes, number: int, seq: int, body: bytes) -> None:
        """Send a frame; frames of one slice of the event loop travel together."""
        out = self._out
        out.append(_HEADER.pack(len(body), kind, number, seq))
        out.append(body)
        if len(out) >= _TOGETHER:
            self._transport.write(b"".join(out))
            out.clear()
        elif not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    async def close(self) -> None:
        """End the process."""
        self.alive = False
        if self._watch is not None:
            self._watch.cancel()
        self._transport.close()
        for _ in range(50):
            if self._process.poll() is not None:
                return
            await asyncio.sleep(0.01)
        self.kill()
        await asyncio.to_thread(self._process.wait)

    def kill(self) -> None:
        """At once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    # --- asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        self._asked = False
        buffer = self._buffer
        buffer += data
        at, end = 0, len(buffer)
        scripts = self._scripts
        while end - at >= 13:
            length, kind, number, seq = _HEADER.unpack_from(buffer, at)
            if end - at - 13 < length:
                break
            body = bytes(memoryview(buffer)[at + 13 : at + 13 + length])
            at += 13 + length
            script = scripts.get(number)
            if script is not None:
                script.answered(kind, seq, body)
        del buffer[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        was_alive, self.alive = self.alive, False
        if self._watch is not None:
            self._watch.cancel()
        if not was_alive:
            return
        code = self._process.poll()
        if code is None:
            self.kill()
            code = self._process.wait()
        self._fail(
            f"The JavaScript process ended ({'signal' if code < 0 else 'status'} {abs(code)}); it starts anew."
        )

    def _fail(self, reason: str) -> None:
        self._gone(self)
        for script in list(self._scripts.values()):
            script.lost(reason)

    def _flush(self) -> None:
        self._scheduled = False
        out, self._out = self._out, []
        if out and self.alive:
            self._transport.write(b"".join(out))

    def _look(self) -> None:
        """Every second: a process that is silent for longer than any script may run is asked, then ended."""
        self._watch = self._loop.call_later(1.0, self._look)
        silent = self._loop.time() - self._heard
        if not self._asked:
            if silent > self._seconds:
                self._asked = True
                self._heard = self._loop.time()
                self.put(b"P", 0, 0, b"")
        elif silent > self._seconds + _GRACE:
            self.alive = False
            self._watch.cancel()
            self.kill()
            self._process.wait()
            self._transport.abort()
            self._fail(
                "The JavaScript process hung and was ended; it starts anew. What was under way is lost."
            )


class Pool:
    """The processes by flow. A flow's function nodes share one: what one of them does to another flow is nothing."""

    def __init__(self) -> None:
        self._bridges: dict[object, Bridge] = {}
        self._opening: dict[object, asyncio.Lock] = {}

    async def get(self, node: AnyNode, seconds: float) -> Bridge:
        """The process of the node's flow, started if needed. Raises NodeError."""
        key = node.lane
        async with self._opening.setdefault(key, asyncio.Lock()):
            bridge = self._bridges.get(key)
            if bridge is None or not bridge.alive:
                bridge = Bridge(seconds, self._forget)
                await bridge.open()
                self._bridges[key] = bridge
            bridge.allow(seconds)
            return bridge

    async def leave(self, node: AnyNode, bridge: Bridge) -> None:
        """A node needs it no more; the last one ends it."""
        if bridge.empty and self._bridges.get(node.lane) is bridge:
            del self._bridges[node.lane]
            self._opening.pop(node.lane, None)
            await bridge.close()

    def _forget(self, bridge: Bridge) -> None:
        for key in [key for key, value in self._bridges.items() if value is bridge]:
            del self._bridges[key]


pool = Pool()
