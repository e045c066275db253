"""Devices in a process of their own: `python -m tests.load.generator FLEET`, asked in JSON lines (see `Child.ask`).

Orders: `connect` (port, count, at_once, kind), `ping` (all once), `echo` (seconds: each sends when it was answered),
`telemetry` (seconds, devices, window, samples, values, rate), `report` (seconds, devices, rate), `counts`. Commands are
answered at all times, and every connection says a heartbeat within 30 s.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from tests.load.wire import End, Mqtt, Tunnel, text

Answer = dict[str, float]
HEARTBEAT_SECONDS = 25.0
ACK = b'{"type":"ack"'
COMMAND = b'{"type":"command"'
ACCEPTED = b'{"type":"shadow_accepted"'
DESIRED = b'{"type":"shadow_desired"'
ERROR = b'{"type":"error"'
_FIELDS = (
    "cpu_percent", "memory_percent", "temperature_celsius", "memory_total_bytes", "memory_used_bytes",
    "memory_available_bytes", "swap_total_bytes", "swap_used_bytes", "uptime_seconds", "load_1", "load_5", "load_15",
)  # fmt: skip


class Generator:
    """Owner of all connections of this process."""

    def __init__(self, fleet: list[tuple[str, str]]) -> None:
        self._fleet = fleet
        self._ends: list[End] = []
        self._inside = 0
        self._gone = 0
        self._boot = os.urandom(8).hex()
        self._room = asyncio.Event()
        self._echoing = False
        self._echoes = 0
        self._frame = b""
        self._sending = False
        self._acks = 0
        self._refused = 0
        self._answers = 0
        self._waits: list[float] = []
        self._asked: dict[int, float] = {}
        self._reporting = False
        self._pushed = 0

    # --- Owner

    def joined(self, end: End) -> None:
        self._inside += 1
        self._room.set()

    def echoed(self, end: End) -> None:
        self._echoes += 1
        if self._echoing:
            end.write(end.ping)

    def ended(self, end: End) -> None:
        self._gone += 1
        self._room.set()

    def said(self, end: End, message: bytes) -> None:
        if message.startswith(ACK):
            self._acks += 1
            if b'"error"' in message:
                self._refused += 1
            if self._sending:
                self._send_batch(end)
        elif message.startswith(COMMAND):
            self._answers += 1
            start = message.index(b'"id":"') + 6
            wanted = message[start : message.index(b'"', start)]
            end.write(
                text(b'{"type":"response","id":"%b","status":"success","data":{"status":"healthy"}}' % wanted)
            )

        elif message.startswith(ACCEPTED):
            self._waits.append((time.perf_counter() - self._asked.pop(end.number)) * 1000)
            if self._reporting:
                self._report(end)
        elif message.startswith(DESIRED):
            self._pushed += 1
        elif message.startswith(ERROR):
            self._refused += 1

    # --- orders

    async def connect(self, port: int, count: int, at_once: int = 256, kind: str = "device") -> Answer:
        """Bring `count` more in, `at_once` at a time; answers seconds and how many are in."""
        loop = asyncio.get_running_loop()
        began, wanted, lost = time.perf_counter(), self._inside + count, self._gone
        opening: set[asyncio.Task[object]] = set()
        while self._inside < wanted:
            if self._gone > lost:
                raise RuntimeError(f"{self._gone - lost} connections were refused or lost while they came in")
            pending = len(self._ends) - self._inside - self._gone
            if len(self._ends) - lost < wanted and pending < at_once:
                end = self._make(len(self._ends), kind)
                self._ends.append(end)
                task = asyncio.ensure_future(loop.create_connection(lambda end=end: end, "127.0.0.1", port))
                opening.add(task)
                task.add_done_callback(opening.discard)
            else:
                self._room.clear()
                async with asyncio.timeout(60):
                    await self._room.wait()
        return {"seconds": time.perf_counter() - began, "inside": self._inside - self._gone}

    def _make(self, number: int, kind: str) -> End:
        if kind == "mqtt":
            return Mqtt(self, number)
        if kind == "bare":
            return Tunnel(self, number, b"")
        device_id, key = self._fleet[number]
        connect = {"type": "connect", "device_id": device_id, "api_key": key, "version": "1.0.0"}
        more = {"capabilities": ["telemetry", "shadow"], "boot_id": self._boot}
        return Tunnel(self, number, text(json.dumps({**connect, **more}).encode()))

    async def ping(self) -> Answer:
        """Everybody says one heartbeat; returns when all were answered."""
        before = self._echoes
        for end in self._ends:
            end.write(end.ping)
        async with asyncio.timeout(30):
            while self._echoes - before < len(self._ends) - self._gone:  # noqa: ASYNC110 - the echo is hot
                await asyncio.sleep(0.02)
        return {"inside": self._inside - self._gone}

    async def echo(self, seconds: float) -> Answer:
        """Closed loop on all connections: a ping follows its answer."""
        self._echoing, before, began = True, self._echoes, time.perf_counter()
        for end in self._ends:
            end.write(end.ping)
        await asyncio.sleep(seconds)
        self._echoing = False
        if self._gone:
            raise RuntimeError(f"{self._gone} connections were lost")
        return self._rate(self._echoes - before, began)

    async def telemetry(
        self,
        seconds: float,
        devices: int,
        window: int = 1,
        samples: int = 10,
        values: int = 12,
        rate: float = 0.0,
    ) -> Answer:
        """Batches from the first `devices`: `window` of each unacknowledged, or `rate` a second over all."""
        now = datetime.now(UTC).isoformat()
        numbers = [
            index * 3.5 if index < 3 or index > 8 else index * 1_000_003 for index in range(len(_FIELDS))
        ]
        sample = {"time": now, **dict(list(zip(_FIELDS, numbers, strict=True))[:values])}
        tail = json.dumps([sample] * samples, separators=(",", ":")).encode()
        head = b'{"type":"telemetry","boot_id":"%b","sequence":%%d,"samples":' % self._boot.encode()
        self._frame = head + tail + b"}"
        taken = self._ends[:devices]
        self._sending, before, began = not rate, self._acks, time.perf_counter()
        if rate:
            await self._paced(taken, rate, began + seconds)
        else:
            for end in taken:
                for _ in range(window):
                    self._send_batch(end)
            await asyncio.sleep(seconds)
        answer = self._rate(self._acks - before, began)
        self._sending = False
        await self._until_quiet()
        if self._refused:
            raise RuntimeError(f"{self._refused} batches were refused")
        return {**answer, "samples": answer["messages"] * samples}

    async def _paced(self, taken: list[End], rate: float, until: float) -> None:
        began, sent = time.perf_counter(), 0
        while (now := time.perf_counter()) < until:
            while sent < (now - began) * rate:
                self._send_batch(taken[sent % len(taken)])
                sent += 1
            await asyncio.sleep(0.005)

    def _send_batch(self, end: End) -> None:
        sequence = int(str(end.state or 0)) + 1
        end.state = sequence
        end.write(text(self._frame % sequence))

    async def report(self, seconds: float, devices: int, rate: float = 0.0) -> Answer:
        """Shadow updates of the first `devices`, one of each under way: when the last was accepted, or `rate` a second
        over all. Milliseconds from frame to `shadow_accepted`."""
        taken, began = self._ends[:devices], time.perf_counter()
        self._waits, self._reporting = [], not rate
        if rate:
            sent = 0
            while (now := time.perf_counter()) < began + seconds:
                while sent < (now - began) * rate:
                    if taken[sent % len(taken)].number not in self._asked:
                        self._report(taken[sent % len(taken)])
                    sent += 1
                await asyncio.sleep(0.002)
        else:
            for end in taken:
                self._report(end)
            await asyncio.sleep(seconds)
        answer = self._rate(len(self._waits), began)
        self._reporting = False
        async with asyncio.timeout(30):
            while self._asked and not self._refused and not self._gone:  # noqa: ASYNC110 - as in `ping`
                await asyncio.sleep(0.02)
        if self._refused or self._gone:
            raise RuntimeError(f"{self._refused} reports were refused, {self._gone} connections lost")
        points = statistics.quantiles(self._waits, n=100)
        return {**answer, "p50": points[49], "p95": points[94], "p99": points[98]}

    def _report(self, end: End) -> None:
        now = self._asked[end.number] = time.perf_counter()
        body = b'{"type":"shadow_reported","id":"r%d","reported":{"temperature":%d}}'
        end.write(text(body % (end.number, round(now * 1000) % 100)))

    async def _until_quiet(self) -> None:
        """What is under way is no part of the next round."""
        acks = -1
        while acks != self._acks:
            acks = self._acks
            await asyncio.sleep(0.3)

    async def counts(self) -> Answer:
        """How many are in, how many commands were answered, how many times anybody was told what is desired."""
        return {"inside": self._inside - self._gone, "answers": self._answers, "pushed": self._pushed}

    def _rate(self, messages: int, began: float) -> Answer:
        seconds = time.perf_counter() - began
        return {"messages": messages, "seconds": seconds, "rate": messages / seconds}

    async def beat(self) -> None:
        """A heartbeat of everybody in 25 s, spread evenly; not while they echo anyway."""
        place = 0
        while True:
            await asyncio.sleep(0.1)
            if self._echoing or not self._ends:
                continue
            share = max(1, round(len(self._ends) * 0.1 / HEARTBEAT_SECONDS))
            for _ in range(share):
                place = (place + 1) % len(self._ends)
                if self._ends[place].inside:
                    self._ends[place].write(self._ends[place].ping)


async def run(fleet: list[tuple[str, str]]) -> None:
    generator = Generator(fleet)
    orders: dict[str, Callable[..., Awaitable[Answer]]] = {
        "connect": generator.connect,
        "ping": generator.ping,
        "echo": generator.echo,
        "telemetry": generator.telemetry,
        "report": generator.report,
        "counts": generator.counts,
    }
    beating = asyncio.create_task(generator.beat())
    await serve_orders(orders)
    beating.cancel()


async def serve_orders(orders: dict[str, Callable[..., Awaitable[Answer]]]) -> None:
    """Take orders from stdin until it ends, answer each with one line: what it made, or `failed` with why."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=64 * 1024 * 1024)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while order := await reader.readline():
        arguments = json.loads(order)
        try:
            answer: object = await orders[arguments.pop("do")](**arguments)
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def read_fleet(path: str) -> list[tuple[str, str]]:
    """(device id, key) of each line; `-` is a fleet of nobody, for bare servers."""
    return [] if path == "-" else [tuple(json.loads(row)) for row in Path(path).read_text().splitlines()]


if __name__ == "__main__":
    uvloop.run(run(read_fleet(sys.argv[1])))
