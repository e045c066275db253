"""websocket-in and websocket-out: programs that connect to this device, at a path of the local API's port."""

from __future__ import annotations

from typing import Annotated, cast

import msgspec
from msgspec import Meta

from ...doors import Data, Door, DoorRefused
from ...javalike import to_text
from ...message import Message, new_message
from ...node import Node, NodeConfig, NodeError


class WebsocketInConfig(NodeConfig):
    """The field runtime's key; `wholemsg` is Node-RED's."""

    path: Annotated[str, Meta(title="Path", description="on the local API's port")] = "/ws/nodes"
    wholemsg: Annotated[bool | str, Meta(title="What comes is a whole message, as JSON")] = False
    node_red: Annotated[bool, Meta(extra_json_schema={"hidden": True})] = False


class _AtDoor(Node[WebsocketInConfig]):
    group = "network"
    Config = WebsocketInConfig
    _door: Door | None = None

    async def start(self) -> None:
        try:
            door = self._door = self.lane.host.doors.open(self.config.path)
        except DoorRefused as error:
            raise NodeError(str(error)) from None
        self._whole = self.config.wholemsg in (True, "true")
        door.changed.append(self._show)
        self._show()

    async def stop(self) -> None:
        door, self._door = self._door, None
        if door is not None:
            door.changed.remove(self._show)
            self.lane.host.doors.close(door)

    def _show(self) -> None:
        if self._door is not None:
            count = len(self._door.clients)
            self.status(f"{count} connected", "green" if count else "grey", "dot" if count else "ring")


class WebsocketIn(_AtDoor):
    """Sends what programs say that connected to the path: `payload.data`, or the payload itself in a flow of Node-RED;
    `_session.id` is who it was."""

    type = "websocket-in"
    category = "input"
    inputs = 0

    async def start(self) -> None:
        await super().start()
        cast(Door, self._door).listeners.append(self._hear)

    async def stop(self) -> None:
        if self._door is not None and self._hear in self._door.listeners:
            self._door.listeners.remove(self._hear)
        await super().stop()

    async def _hear(self, client: str, data: Data) -> None:
        await self.room()
        session = {"type": "websocket", "id": client}
        if self._whole:
            try:
                message = msgspec.json.decode(data, type=dict[str, object])
            except msgspec.DecodeError as error:
                self.error(f"What a program sent to {self.config.path} is not a message as JSON: {error}.")
                return
            message.pop("_msgid", None)
            self.send({**message, "_session": session})
            return
        self.send(new_message(data if self.config.node_red else {"data": data}, _session=session))


class WebsocketOut(_AtDoor):
    """Says the payload (`payload.data` or `payload.send` of a field flow) to the program that `_session` names, to all
    at the path where there is none."""

    type = "websocket-out"
    category = "output"
    outputs = 0

    def receive(self, message: Message) -> None:
        door = cast(Door, self._door)
        session = message.get("_session")
        if self._whole:
            shown = {key: value for key, value in message.items() if key != "_session"}
            data: Data = msgspec.json.encode(shown).decode()
        else:
            payload = message.get("payload")
            if isinstance(payload, dict) and not self.config.node_red:
                fields = cast("dict[str, object]", payload)
                payload = fields.get("send", fields.get("data", fields))
            if payload is None:
                return
            data = payload if isinstance(payload, bytes) else to_text(payload)
        if isinstance(session, dict) and "id" in session:
            client = door.clients.get(str(cast("Message", session)["id"]))
            if client is not None:  # Who asked and left needs no answer.
                client.send(data)
            return
        for client in list(door.clients.values()):
            client.send(data)
