"""websocket-client: a connection to a WebSocket server, kept up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, cast

import msgspec
from msgspec import Meta

from ...duration import read_duration
from ...javalike import to_text
from ...message import Message, new_message
from ...node import Node, NodeConfig, NodeError
from .addresses import Backoff

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection


class WebsocketClientConfig(NodeConfig):
    """Field runtime's keys."""

    url: Annotated[str, Meta(title="Address", examples=["ws://host:8080/feed"])] = ""
    headers: Annotated[dict[str, object], Meta(title="Headers")] = msgspec.field(
        default_factory=dict[str, object]
    )
    auto_reconnect: Annotated[bool, Meta(title="Reconnect by itself")] = True
    reconnect_delay: Annotated[str | float, Meta(title="First wait before that (ms)")] = 1000
    max_reconnect_attempts: Annotated[int, Meta(title="Attempts", description="0: for ever", ge=0)] = 0
    ping_interval: Annotated[str | float, Meta(title="Ping every (seconds)")] = 30
    handshake_timeout: Annotated[str | float, Meta(title="Time limit to connect (seconds)")] = 10
    enable_compression: Annotated[bool, Meta(title="Compress")] = False
    subprotocols: Annotated[list[str], Meta(title="Subprotocols")] = msgspec.field(default_factory=list[str])
    heartbeat_interval: Annotated[str | float, Meta(title="Message of one's own every (seconds)")] = 0
    heartbeat_message: Annotated[str, Meta(title="That message")] = ""
    node_red: Annotated[bool, Meta(extra_json_schema={"hidden": True})] = False
    max_message_size: Annotated[int, Meta(title="Largest message (bytes)", ge=1, le=16 << 20)] = 1 << 20


class WebsocketClient(Node[WebsocketClientConfig]):
    """Sends what the server says (`payload.data`, or the payload itself in a flow of Node-RED), and says what it gets
    (`payload.send`, else the payload)."""

    type = "websocket-client"
    group = "network"
    Config = WebsocketClientConfig

    async def start(self) -> None:
        if not self.config.url.startswith(("ws://", "wss://")):
            raise NodeError(
                f"{self.config.url!r} is no WebSocket address. Write for example ws://host:8080/feed."
            )
        self._connection: ClientConnection | None = None
        self._connected = asyncio.Event()
        self.spawn(self._keep())

    async def receive(self, message: Message) -> None:
        payload = message.get("payload")
        if isinstance(payload, dict) and "send" in payload:
            payload = cast("dict[str, object]", payload)["send"]
        seconds = read_duration(self.config.handshake_timeout, "seconds")
        try:
            async with asyncio.timeout(seconds):
                await self._connected.wait()
                connection = self._connection
                if connection is not None:
                    await connection.send(payload if isinstance(payload, bytes) else to_text(payload))
                    return
        except TimeoutError:
            pass
        except Exception as error:
            raise NodeError(f"Not sent to {self.config.url}: {error}.") from None
        raise NodeError(f"{self.config.url} is not connected. The message was not sent.")

    async def _keep(self) -> None:
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException
        from websockets.typing import Subprotocol

        config = self.config
        backoff = Backoff(max(0.1, read_duration(config.reconnect_delay, "ms")))
        failures = 0
        while True:
            try:
                async with connect(
                    config.url,
                    additional_headers={key: to_text(value) for key, value in config.headers.items()},
                    subprotocols=[Subprotocol(name) for name in config.subprotocols] or None,
                    compression="deflate" if config.enable_compression else None,
                    open_timeout=read_duration(config.handshake_timeout, "seconds"),
                    ping_interval=read_duration(config.ping_interval, "seconds") or None,
                    close_timeout=2,
                    max_size=config.max_message_size,
                    proxy=None,
                ) as connection:
                    failures = 0
                    backoff.reset()
                    await self._talk(connection)
                    reason = "the server closed the connection"
            except (OSError, TimeoutError, WebSocketException) as error:
                reason = str(error) or type(error).__name__
            finally:
                self._connected.clear()
                self._connection = None
            failures += 1
            self.status("disconnected", "red", "ring")
            self.log(f"{config.url}: {reason}", "warning")
            if not config.auto_reconnect or 0 < config.max_reconnect_attempts < failures:
                raise NodeError(f"{config.url} is gone: {reason}.")
            await asyncio.sleep(backoff.wait())

    async def _talk(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._connected.set()
        self.status("connected", "green")
        beat = asyncio.create_task(self._beat(connection)) if self.config.heartbeat_message else None
        try:
            async for data in connection:
                await self.room()
                self.send(new_message(data if self.config.node_red else {"data": data}))
        finally:
            if beat is not None:
                beat.cancel()

    async def _beat(self, connection: ClientConnection) -> None:
        seconds = read_duration(self.config.heartbeat_interval, "seconds") or 30.0
        while True:
            await asyncio.sleep(seconds)
            await connection.send(self.config.heartbeat_message)
