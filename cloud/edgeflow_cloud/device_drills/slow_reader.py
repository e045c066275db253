"""R10: readers that take nothing. What they are sent is bounded, they are cut, and whoever reads stays fast."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import socket
import struct
from collections.abc import Sequence

from edgeflow_cloud.drills import CannotRun, Drill, Ground, Layout, Order, Peer, Report, open_stack
from edgeflow_cloud.simulator import Credentials, Latencies
from edgeflow_protocol import encode, frames
from edgeflow_protocol.actions import DeviceAction
from edgeflow_protocol.capabilities import Capability

_WITNESSES = 8
_MEMORY = 64 * 1024 * 1024
_SLOWEST = 1.0
_ASKS, _LONG, _PACE = 48, 8_000, 0.2
"""Questions of each, bytes of an id, which the answer repeats, and seconds between two: in all more than may be unsent,
and what kernels hold, and little enough at once that it is not the questions that cost."""
_ENTERING = 25


class Stalled:
    """A socket with the smallest buffers there are, that says much and reads nothing."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        # Little room in both kernels: what is unsent is then the hub's to hold.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1200)
        self._socket.setblocking(False)

    async def enter(self, address: tuple[str, int], credentials: Credentials) -> None:
        """Handshake and `connect`; one answer is read, and then no more. Raises CannotRun."""
        loop = asyncio.get_running_loop()
        key = base64.b64encode(os.urandom(16)).decode()
        head = (
            f"GET /tunnel HTTP/1.1\r\nHost: {address[0]}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        hello = frames.Connect(
            device_id=credentials.device_id,
            api_key=credentials.api_key,
            version="1.0.0",
            capabilities=[Capability.SHADOW],
            boot_id="b0",
        )
        try:
            async with asyncio.timeout(30):
                await loop.sock_connect(self._socket, address)
                await loop.sock_sendall(self._socket, head.encode())
                await self._read(b"\r\n\r\n")
                await self.say(hello)
                await self._read(b"connected")
        except (OSError, TimeoutError) as error:
            raise CannotRun(f"A stalled reader did not come in: {error!r}") from error

    async def say(self, frame: frames.DeviceFrame) -> None:
        """Send a frame. Raises OSError when it was cut."""
        body = encode(frame)
        size = bytes([0x80 | len(body)]) if len(body) < 126 else b"\xfe" + struct.pack(">H", len(body))
        # A mask of zeros is a mask: the text goes as it is.
        await asyncio.get_running_loop().sock_sendall(self._socket, b"\x81" + size + bytes(4) + body)

    async def ask(self, after: float) -> None:
        """Ask what has a long answer, again and again, from `after` on."""
        await asyncio.sleep(after)
        with contextlib.suppress(OSError):
            for number in range(_ASKS):
                await self.say(frames.Command(id=f"{number}" + "x" * _LONG, action=DeviceAction.HEALTH_CHECK))
                await asyncio.sleep(_PACE)

    def end(self) -> None:
        """Close it."""
        self._socket.close()

    async def _read(self, until: bytes) -> None:
        seen = b""
        while until not in seen:
            piece = await asyncio.get_running_loop().sock_recv(self._socket, 512)
            if not piece:
                raise CannotRun(f"A stalled reader was refused: {seen[-300:]!r}")
            seen += piece


async def run(ground: Ground, order: Order, report: Report) -> None:
    """The stalled ask what has a long answer, and do not read it; witnesses ping meanwhile."""
    async with open_stack(ground, Layout(0, 0, 0, 1), report, mutant=order.mutant) as stack:
        node = stack.of("all")[0]
        identities = await stack.enter(order.devices + _WITNESSES)
        url = f"ws://127.0.0.1:{node.port}/tunnel"
        witnesses = [await Peer.enter(url, one) for one in identities[:_WITNESSES]]
        stalled = [(Stalled(), one) for one in identities[_WITNESSES:]]
        for first in range(0, len(stalled), _ENTERING):
            await asyncio.gather(
                *(one.enter(node.address, known) for one, known in stalled[first : first + _ENTERING])
            )
        report.step(f"{len(stalled)} that will not read are in")
        calm, crowded = Latencies(), Latencies()
        await _ping(witnesses, calm)
        before = most = node.memory()
        asking = asyncio.gather(*(one.ask(_PACE * n / len(stalled)) for n, (one, _) in enumerate(stalled)))
        while not asking.done():
            await _ping(witnesses, crowded)
            most = max(most, node.memory())
        await _ping(witnesses, crowded)
        cut = await node.count("edgeflow_tunnel_cut_readers_total")
        _judge(report, len(stalled), max(most, node.memory()) - before, cut, calm, crowded)
        codes = {peer.code for peer in witnesses}
        report.check(codes == {0}, f"who reads stays: close codes {codes}")
        for peer in witnesses:
            peer.end()
        for one, _ in stalled:
            one.end()


def _judge(
    report: Report, stalled: int, memory: int, cut: float, calm: Latencies, crowded: Latencies
) -> None:
    report.fact("memory", f"+{memory / 2**20:.0f} MiB for {stalled} readers that stall")
    report.fact("cut", f"{cut:.0f} of {stalled}")
    report.fact("ping before", calm.shown())
    report.fact("ping meanwhile", crowded.shown())
    report.check(memory <= _MEMORY, f"stalled readers cost at most 64 MiB: {memory / 2**20:.0f} MiB")
    report.check(cut >= stalled, f"whoever takes nothing is cut: {cut:.0f} of {stalled}")
    slow = crowded.quantile(0.99)
    report.check(slow <= _SLOWEST, f"who reads stays fast: p99 of a ping is {slow:.2f} s")


async def _ping(witnesses: Sequence[Peer], into: Latencies) -> None:
    """One ping each, answered within ten seconds or counted as ten."""
    loop = asyncio.get_running_loop()

    async def one(peer: Peer) -> None:
        peer.heard.clear()
        began = loop.time()
        peer.say(frames.Ping())
        await peer.until(lambda: any(isinstance(frame, frames.Pong) for frame in peer.heard), 10.0)
        into.add(loop.time() - began)

    await asyncio.gather(*(one(peer) for peer in witnesses))
    await asyncio.sleep(0.1)


DRILL = Drill(
    name="slow-reader",
    question="Do 500 devices that read nothing cost at most 64 MiB, and those that read no time?",
    run=run,
    mutants={"no-bound": "what a reader does not take is kept for it, however much that is"},
    seconds=1.0,
    devices=500,
)
