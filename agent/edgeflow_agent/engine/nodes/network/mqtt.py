"""mqtt-in and mqtt-out: a broker's topics. Each node has a connection of its own, kept up with backoff."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Literal, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ...duration import read_duration
from ...javalike import to_text
from ...message import Message, new_message
from ...node import Node, NodeConfig, NodeError
from .addresses import Backoff, read_address

if TYPE_CHECKING:
    import aiomqtt
    from paho.mqtt.properties import Properties

_SCHEMES = ("tcp", "mqtt", "ssl", "tls", "mqtts", "ws", "wss")
_TLS = ("ssl", "tls", "mqtts", "wss")
_UNACKNOWLEDGED = 200
_ENVELOPE = frozenset({"topic", "payload", "qos", "retain", "retained"})


class BrokerConfig(NodeConfig):
    """Keys that both types have. Node-RED's exports bring the broker's as `broker`, `clientId` and so on."""

    broker: Annotated[str, Meta(title="Broker", examples=["tcp://localhost:1883"])] = "tcp://localhost:1883"
    topic: Annotated[str, Meta(title="Topic")] = ""
    qos: Annotated[int, Meta(title="Quality of service", ge=0, le=2)] | UnsetType = UNSET
    client_id: Annotated[str, Meta(title="Client id", description="empty: made by the client")] = ""
    username: Annotated[str, Meta(title="User name")] = ""
    password: Annotated[str, Meta(title="Password", extra_json_schema={"format": "password"})] = ""
    clean_session: Annotated[bool, Meta(title="Clean session")] = True
    auto_reconnect: Annotated[bool, Meta(title="Reconnect by itself")] = True
    will_topic: Annotated[str, Meta(title="Will: topic")] = ""
    will_payload: Annotated[str, Meta(title="Will: payload")] = ""
    will_qos: Annotated[int, Meta(title="Will: quality of service", ge=0, le=2)] = 0
    will_retain: Annotated[bool, Meta(title="Will: retained")] = False
    keep_alive: Annotated[str | float, Meta(title="Keep alive (seconds)")] = 60
    connect_timeout: Annotated[str | float, Meta(title="Time limit to connect (seconds)")] = 10


class MqttInConfig(BrokerConfig):
    """`datatype` is Node-RED's; without it the payload is an object as the field runtime makes it."""

    datatype: Annotated[
        Literal["", "auto-detect", "auto", "utf8", "buffer", "json", "base64"], Meta(title="Payload as")
    ] = ""
    retained_handler: Annotated[Literal["", "process", "ignore"] | bool, Meta(title="Retained messages")] = ""


class MqttOutConfig(BrokerConfig):
    """`retain` and `messageExpiry` (seconds)."""

    retain: Annotated[bool, Meta(title="Retain")] = False
    message_expiry: Annotated[str | float, Meta(title="Expiry (seconds)", description="MQTT 5")] = 0


class Broker:
    """A connection that is kept up until cancelled."""

    def __init__(self, node: Node[BrokerConfig]) -> None:
        self._node = node
        self._config = node.config
        scheme, self.host, self.port, path = read_address(node.config.broker, 1883, _SCHEMES)
        self._tls = scheme in _TLS
        self._path = path if scheme in ("ws", "wss") else None
        self._timeout = read_duration(node.config.connect_timeout or 10, "seconds")
        self.client: aiomqtt.Client | None = None
        self.connected = asyncio.Event()

    async def keep(self, work: Callable[[aiomqtt.Client], Awaitable[None]]) -> None:
        """Connect, do `work` until the connection breaks, again. Ends only when it may not reconnect."""
        import aiomqtt

        backoff = Backoff()
        while True:
            try:
                async with self._make() as client:
                    backoff.reset()
                    self.client = client
                    self.connected.set()
                    self._node.status("connected", "green")
                    await work(client)
            except (aiomqtt.MqttError, OSError) as error:
                self._node.status("disconnected", "red", "ring")
                self._node.log(f"{self.host}:{self.port}: {error}", "warning")
                if not self._config.auto_reconnect:
                    raise NodeError(f"The broker {self.host}:{self.port} is gone: {error}.") from None
            finally:
                self.client = None
                self.connected.clear()
            await asyncio.sleep(backoff.wait())

    async def ready(self) -> aiomqtt.Client:
        """The connected client, waited for as long as a connection may take. Raises NodeError."""
        if self.client is None:
            try:
                async with asyncio.timeout(self._timeout):
                    await self.connected.wait()
            except TimeoutError:
                pass
        if self.client is None:
            raise NodeError(f"The broker {self.host}:{self.port} does not answer. The message was not sent.")
        return self.client

    def _make(self) -> aiomqtt.Client:
        import aiomqtt

        config = self._config
        expires = isinstance(config, MqttOutConfig) and bool(config.message_expiry)
        will = (
            aiomqtt.Will(config.will_topic, config.will_payload, config.will_qos, config.will_retain)
            if config.will_topic
            else None
        )
        version = aiomqtt.ProtocolVersion.V5 if expires else aiomqtt.ProtocolVersion.V311
        return aiomqtt.Client(
            self.host,
            self.port,
            username=config.username or None,
            password=config.password or None,
            identifier=config.client_id or None,
            will=will,
            clean_session=None if expires else (config.clean_session or not config.client_id),
            protocol=version,
            keepalive=max(1, round(read_duration(config.keep_alive or 60, "seconds"))),
            timeout=self._timeout,
            transport="tcp" if self._path is None else "websockets",
            websocket_path=self._path or None,
            tls_context=ssl.create_default_context() if self._tls else None,
            max_queued_incoming_messages=_UNACKNOWLEDGED,
        )


class MqttIn(Node[MqttInConfig]):
    """Sends a message for each one that a broker has for the topic. `+` and `#` may stand in it."""

    type = "mqtt-in"
    category = "input"
    group = "network"
    inputs = 0
    Config = MqttInConfig

    async def start(self) -> None:
        if not self.config.topic:
            raise NodeError("An mqtt-in node needs a topic, for example plant/+/temperature.")
        self._broker = Broker(cast("Node[BrokerConfig]", self))
        self.spawn(self._broker.keep(self._listen))

    async def _listen(self, client: aiomqtt.Client) -> None:
        config = self.config
        qos = 0 if config.qos is UNSET else config.qos
        await client.subscribe(config.topic, qos=qos)
        async for incoming in client.messages:
            if incoming.retain and config.retained_handler == "ignore":
                continue
            await self.room()
            data = incoming.payload
            topic = str(incoming.topic)
            try:
                value = read_payload(data, config.datatype)
            except NodeError as error:
                self.error(error, new_message(data, topic))
                continue
            if config.datatype:
                more: dict[str, object] = {"qos": incoming.qos, "retain": bool(incoming.retain)}
                self.send(new_message(value, topic, **more))
            else:
                field = {
                    "topic": topic,
                    "payload": value,
                    "qos": incoming.qos,
                    "retained": bool(incoming.retain),
                }
                self.send(new_message(field, topic))


class MqttOut(Node[MqttOutConfig]):
    """Publishes each message's payload; `topic`, `qos` and `retain` of the message win where the node has none."""

    type = "mqtt-out"
    category = "output"
    group = "network"
    outputs = 0
    concurrency = 16
    Config = MqttOutConfig

    async def start(self) -> None:
        self._broker = Broker(cast("Node[BrokerConfig]", self))
        self.spawn(self._broker.keep(self._stay))

    async def _stay(self, client: aiomqtt.Client) -> None:
        async for _ in client.messages:  # None is subscribed to: this ends when the connection does.
            pass

    async def receive(self, message: Message) -> None:
        import aiomqtt

        given, payload = dict(message), message.get("payload")
        if isinstance(payload, dict) and "payload" in payload and payload.keys() <= _ENVELOPE:
            field = cast("dict[str, object]", payload)
            given |= field
            payload = field["payload"]
        topic = self.config.topic or given.get("topic")
        if not isinstance(topic, str) or not topic or "#" in topic or "+" in topic:
            raise NodeError(
                f"{topic!r} is no topic to publish to. Give the node one, or the message a `topic`."
            )
        qos = given.get("qos") if self.config.qos is UNSET else self.config.qos
        retain = self.config.retain or str(given.get("retain")).lower() == "true"
        client = await self._broker.ready()
        data = (
            payload if isinstance(payload, bytes) else ("" if payload is None else to_text(payload)).encode()
        )
        try:
            await client.publish(
                topic,
                data,
                qos=int(str(qos)) if str(qos) in ("0", "1", "2") else 0,
                retain=retain,
                properties=self._properties(),
            )
        except (aiomqtt.MqttError, ValueError) as error:
            raise NodeError(f"Not published to {topic}: {error}.") from None

    def _properties(self) -> Properties | None:
        seconds = read_duration(self.config.message_expiry or 0, "seconds")
        if not seconds:
            return None
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties = Properties(PacketTypes.PUBLISH)
        properties.MessageExpiryInterval = max(1, round(seconds))
        return properties


def read_payload(data: bytes, datatype: str) -> object:
    """A payload as Node-RED's `datatype` says; empty is `auto-detect`. Raises NodeError for what must be JSON."""
    if datatype == "buffer":
        return data
    if datatype == "base64":
        import base64

        return base64.b64encode(data).decode()
    if datatype == "utf8":
        return data.decode(errors="replace")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        if datatype == "json":
            raise NodeError("The payload is not JSON.") from None
        return data
    if datatype == "auto":
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        if datatype == "json":
            raise NodeError(f"The payload is not JSON: {error}.") from None
        return text
