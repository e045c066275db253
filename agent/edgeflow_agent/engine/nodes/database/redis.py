"""redis: a Redis or Valkey server."""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING, Annotated, cast

import msgspec
from msgspec import Meta

from ...javalike import to_text
from ...message import Message, new_message
from ...node import Node, NodeConfig, NodeError
from ..network.addresses import Backoff
from .parameters import plain

if TYPE_CHECKING:
    from redis.asyncio import Redis as Client


class RedisConfig(NodeConfig):
    """A `url`, or its parts; `command` with its arguments, or `subscribe` for channels."""

    url: Annotated[str, Meta(title="Address", examples=["redis://:password@host:6379/0"])] = ""
    host: Annotated[str, Meta(title="Host")] = "localhost"
    port: Annotated[int, Meta(title="Port", ge=1, le=65535)] = 6379
    username: Annotated[str, Meta(title="User name")] = ""
    password: Annotated[str, Meta(title="Password", extra_json_schema={"format": "password"})] = ""
    database: Annotated[int, Meta(title="Database", ge=0)] = 0
    db: int = 0
    command: Annotated[
        str,
        Meta(
            title="Command",
            description="with its arguments, or the message's `command`",
            examples=["SET", "GET temperature"],
        ),
    ] = ""
    operation: str = ""
    key: Annotated[str, Meta(title="Key", description="empty: the message's `key` or `topic`")] = ""
    channels: Annotated[
        list[str], Meta(title="Channels to listen to", description="patterns such as plant.*")
    ] = msgspec.field(default_factory=list[str])
    timeout: Annotated[float, Meta(title="Time limit (seconds)", gt=0, le=600)] = 10.0


class Redis(Node[RedisConfig]):
    """Runs a command (`payload`: a list is its arguments, anything else its last one) and sends the answer; with
    channels, sends what is published there."""

    type = "redis"
    category = "function"
    group = "database"
    concurrency = 8
    Config = RedisConfig

    async def start(self) -> None:
        from redis.asyncio import Redis as Client

        config = self.config
        if config.url:
            try:
                self._client: Client = Client.from_url(
                    config.url, socket_timeout=config.timeout, socket_connect_timeout=config.timeout
                )
            except ValueError as error:
                raise NodeError(f"{config.url!r} is not an address: {error}.") from None
        else:
            self._client = Client(
                host=config.host,
                port=config.port,
                db=config.database or config.db,
                username=config.username or None,
                password=config.password or None,
                socket_timeout=config.timeout,
                socket_connect_timeout=config.timeout,
            )
        if config.channels:
            self.spawn(self._listen())

    async def stop(self) -> None:
        client = cast("Client | None", getattr(self, "_client", None))
        if client is not None:
            await client.aclose()

    async def receive(self, message: Message) -> None:
        from redis.exceptions import RedisError

        config = self.config
        written = config.command or config.operation or message.get("command")
        if not isinstance(written, str) or not written.strip():
            raise NodeError(
                "There is no command. Give the node one, for example GET, or the message a `command`."
            )
        words: list[object] = list(shlex.split(written))
        key = config.key or message.get("key")
        payload = message.get("payload")
        if len(words) == 1 and isinstance(key or message.get("topic"), str) and not isinstance(payload, list):
            words.append(key or message.get("topic"))
        if isinstance(payload, list):
            words += cast("list[object]", payload)
        elif payload is not None and str(words[0]).upper() not in _WITHOUT_VALUE:
            words.append(payload)
        encoded = [word if isinstance(word, bytes) else to_text(word).encode() for word in words]
        try:
            answer = cast("object", await self._client.execute_command(*encoded))
        except (RedisError, OSError, TimeoutError) as error:
            raise NodeError(f"Redis says: {error}.") from None
        message["payload"] = _text(answer)
        self.send(message)

    async def _listen(self) -> None:
        from redis.exceptions import RedisError

        backoff = Backoff()
        while True:
            try:
                async with self._client.pubsub() as listening:
                    await listening.psubscribe(*self.config.channels)
                    self.status("connected", "green")
                    backoff.reset()
                    while True:
                        found = cast(
                            "dict[str, object] | None",
                            await listening.get_message(ignore_subscribe_messages=True, timeout=5.0),
                        )
                        if found is not None:
                            await self.room()
                            self.send(new_message(_text(found["data"]), str(_text(found["channel"]))))
            except (RedisError, OSError) as error:
                self.status("disconnected", "red", "ring")
                self.log(f"Redis: {error}", "warning")
            await asyncio.sleep(backoff.wait())


_WITHOUT_VALUE = frozenset(
    {
        "GET",
        "DEL",
        "EXISTS",
        "TTL",
        "PTTL",
        "TYPE",
        "INCR",
        "DECR",
        "HGETALL",
        "HKEYS",
        "HVALS",
        "HLEN",
        "LLEN",
    }
    | {"LPOP", "RPOP", "SMEMBERS", "SCARD", "PERSIST", "PING", "DBSIZE"}
)
"""With a single payload these take the key alone; a list gives any arguments."""


def _text(value: object) -> object:
    """Answers are bytes: text where they are."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    if isinstance(value, (list, tuple, set)):
        return [_text(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {str(_text(key)): _text(item) for key, item in cast("dict[object, object]", value).items()}
    return plain(value)
