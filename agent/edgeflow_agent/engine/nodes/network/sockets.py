"""tcp-client and udp."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated, Literal, cast

from msgspec import Meta

from ...duration import read_duration
from ...javalike import to_text
from ...message import Message, new_message
from ...node import Node, NodeConfig, NodeError
from .addresses import Backoff

_CHUNK = 65536


class TcpClientConfig(NodeConfig):
    """Field runtime's keys."""

    host: Annotated[str, Meta(title="Host")] = "localhost"
    port: Annotated[int, Meta(title="Port", ge=1, le=65535)] = 8000
    timeout: Annotated[str | float, Meta(title="Time limit to connect (seconds)")] = 10
    auto_reconnect: Annotated[bool, Meta(title="Reconnect by itself")] = True
    reconnect_delay: Annotated[str | float, Meta(title="First wait before that (ms)")] = 1000


class TcpClient(Node[TcpClientConfig]):
    """Sends what the other end writes (`payload.data`), and writes what it gets (`payload.send`, else the payload)."""

    type = "tcp-client"
    group = "network"
    Config = TcpClientConfig

    async def start(self) -> None:
        self._writer: asyncio.StreamWriter | None = None
        self._connected = asyncio.Event()
        self.spawn(self._keep())

    async def receive(self, message: Message) -> None:
        data = _bytes(message)
        where = f"{self.config.host}:{self.config.port}"
        try:
            async with asyncio.timeout(read_duration(self.config.timeout, "seconds")):
                await self._connected.wait()
                if self._writer is not None:
                    self._writer.write(data)
                    await self._writer.drain()
                    return
        except (OSError, TimeoutError) as error:
            raise NodeError(f"Not sent to {where}: {error or 'it is not connected'}.") from None
        raise NodeError(f"{where} is not connected. The message was not sent.")

    async def _keep(self) -> None:
        config = self.config
        backoff = Backoff(max(0.1, read_duration(config.reconnect_delay, "ms")))
        while True:
            reason = "the other end closed the connection"
            try:
                async with asyncio.timeout(read_duration(config.timeout, "seconds")):
                    reader, writer = await asyncio.open_connection(config.host, config.port)
                backoff.reset()
                self._writer = writer
                self._connected.set()
                self.status("connected", "green")
                while data := await reader.read(_CHUNK):
                    await self.room()
                    self.send(new_message({"data": _text(data)}))
            except (OSError, TimeoutError) as error:
                reason = str(error) or "no answer in time"
            finally:
                self._connected.clear()
                if self._writer is not None:
                    self._writer.close()
                    self._writer = None
            self.status("disconnected", "red", "ring")
            if not config.auto_reconnect:
                raise NodeError(f"{config.host}:{config.port} is gone: {reason}.")
            await asyncio.sleep(backoff.wait())


class UdpConfig(NodeConfig):
    """Field runtime's keys."""

    mode: Annotated[Literal["listen", "send"], Meta(title="Do")] = "listen"
    host: Annotated[str, Meta(title="Host", description="to send to, or the address to listen at")] = ""
    port: Annotated[int, Meta(title="Port", ge=0, le=65535)] = 0
    buffer_size: Annotated[int, Meta(title="Largest datagram (bytes)", ge=1, le=65535)] = 65535


class Udp(Node[UdpConfig]):
    """Sends datagrams that come (`payload.data from size`), or sends out what it gets (`payload.send`)."""

    type = "udp"
    group = "network"
    Config = UdpConfig

    async def start(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        config = self.config
        host = config.host or ("0.0.0.0" if config.mode == "listen" else "127.0.0.1")  # noqa: S104 - it listens for others
        if not config.port:
            raise NodeError("A udp node needs a port.")
        self._arrived: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue(500)
        loop = asyncio.get_running_loop()
        try:
            if config.mode == "listen":
                opening = loop.create_datagram_endpoint(
                    lambda: _Datagrams(self._arrived), local_addr=(host, config.port)
                )
            else:
                opening = loop.create_datagram_endpoint(
                    lambda: _Datagrams(None), remote_addr=(host, config.port)
                )
            self._transport, _ = await opening
        except OSError as error:
            raise NodeError(f"{host}:{config.port} cannot be used: {error.strerror or error}.") from None
        if config.mode == "listen":
            self.spawn(self._pass_on())

    async def stop(self) -> None:
        if self._transport is not None:
            self._transport.close()

    async def _pass_on(self) -> None:
        while True:
            data, sender = await self._arrived.get()
            await self.room()
            data = data[: self.config.buffer_size]
            payload = {"data": _text(data), "from": f"{sender[0]}:{sender[1]}", "size": len(data)}
            self.send({**new_message(payload), "ip": sender[0], "port": sender[1]})

    def receive(self, message: Message) -> None:
        if self._transport is None or self.config.mode != "send":
            raise NodeError("This udp node listens. Set its mode to `send` to send with it.")
        data = _bytes(message)
        if len(data) > self.config.buffer_size:
            raise NodeError(
                f"{len(data)} bytes are more than a datagram may have ({self.config.buffer_size})."
            )
        self._transport.sendto(data)


class _Datagrams(asyncio.DatagramProtocol):
    """What does not fit into the queue is lost, as with any datagram."""

    def __init__(self, arrived: asyncio.Queue[tuple[bytes, tuple[str, int]]] | None) -> None:
        self._arrived = arrived

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._arrived is not None:
            with contextlib.suppress(asyncio.QueueFull):
                self._arrived.put_nowait((data, addr))


def _bytes(message: Message) -> bytes:
    payload = message.get("payload")
    if isinstance(payload, dict) and "send" in payload:
        payload = cast("dict[str, object]", payload)["send"]
    return payload if isinstance(payload, bytes) else ("" if payload is None else to_text(payload)).encode()


def _text(data: bytes) -> object:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data
