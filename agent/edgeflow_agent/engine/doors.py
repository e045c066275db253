"""Paths at which programs reach flows by WebSocket. Nodes open them; who has a server (the local API) serves them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from .message import new_id

MOST_CLIENTS = 16
BACKLOG = 256
Data = str | bytes
Listener = Callable[[str, Data], Awaitable[None]]
"""Called with the client's id and what it said; the client waits meanwhile."""

_TAKEN = ("/api", "/ws")
_FILES = frozenset({"/", "/page.js", "/page.css"})


class DoorRefused(Exception):
    """The path cannot be opened; the text says why and what to do."""


class Client:
    """A program that is connected: what it is to be sent waits in `outgoing`; a slow one loses the oldest."""

    def __init__(self, door: Door) -> None:
        self.id = new_id()
        self.door = door
        self.outgoing: asyncio.Queue[Data] = asyncio.Queue(BACKLOG)
        self.lost = 0

    def send(self, data: Data) -> None:
        """Give it to the client as soon as it takes it."""
        if self.outgoing.full():
            self.outgoing.get_nowait()
            self.lost += 1
        self.outgoing.put_nowait(data)

    async def receive(self, data: Data) -> None:
        """The client said something."""
        for listener in list(self.door.listeners):
            await listener(self.id, data)


class Door:
    """One open path."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.listeners: list[Listener] = []
        self.clients: dict[str, Client] = {}
        self.users = 0
        self.changed: list[Callable[[], None]] = []
        """Called when a client comes or goes."""

    @property
    def full(self) -> bool:
        """Whether no more clients are let in."""
        return len(self.clients) >= MOST_CLIENTS

    def enter(self) -> Client:
        """A client connected."""
        client = Client(self)
        self.clients[client.id] = client
        self.tell()
        return client

    def leave(self, client: Client) -> None:
        """It is gone."""
        self.clients.pop(client.id, None)
        self.tell()

    def tell(self) -> None:
        """Somebody came or went."""
        for changed in list(self.changed):
            changed()


class Doors:
    """All open paths of one engine. `served`: whether somebody serves them."""

    def __init__(self) -> None:
        self.served = False
        self._doors: dict[str, Door] = {}

    def find(self, path: str) -> Door | None:
        """The door at this path, if one is open."""
        return self._doors.get(path)

    def open(self, path: str) -> Door:
        """The door at this path, which others may use too. Raises DoorRefused."""
        if not path.startswith("/") or any(letter in path for letter in " ?#"):
            raise DoorRefused(f"{path!r} is not a path. Write for example /ws/nodes.")
        if path in (*_TAKEN, *_FILES) or path.startswith("/api/"):
            raise DoorRefused(f"The path {path} is the device's own. Choose another, for example /ws/nodes.")
        if not self.served:
            raise DoorRefused("This agent's local API is off, so nobody could connect. Turn it on.")
        door = self._doors.setdefault(path, Door(path))
        door.users += 1
        return door

    def close(self, door: Door) -> None:
        """One user less; the last one closes it. Who is connected is sent away by whoever serves them."""
        door.users -= 1
        if not door.users:
            self._doors.pop(door.path, None)
            door.clients.clear()
            door.tell()
