"""Callers who wait for a command's end, woken by whichever process finishes it.

Each process has one channel on the bus; a command carries the channel of the process whose caller waits. A
process that finishes its own caller's command needs no bus. What is told is a copy of a row that is
committed already, so a message that is lost costs only time: the waiting side reads the row itself now and
then.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from weakref import WeakKeyDictionary

import msgspec
import structlog

from edgeflow_cloud.commands.model import Command
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.kernel.ids import CommandId

log = structlog.get_logger("edgeflow.commands")

FIRST_LOOK, NEXT_LOOK = 1.0, 2.0
"""Seconds after which a waiting caller reads the row itself: an answer usually comes long before, on the
bus."""

_decode = msgspec.json.Decoder(Command).decode
_encode = msgspec.json.Encoder().encode
Look = Callable[[], Awaitable[Command]]


class Waiters:
    """Those of one process who wait. Made on first use by `waiters_of`; ends with the bus."""

    def __init__(self, bus: Bus) -> None:
        self.channel = f"commands:{secrets.token_hex(8)}"
        self._bus = bus
        self._waiting: dict[CommandId, asyncio.Event] = {}
        self._ended: dict[CommandId, Command] = {}
        self._patient = True
        self._listening: asyncio.Task[None] | None = None
        self._joined = asyncio.Event()

    async def listen(self) -> None:
        """Return once what is told from now on is heard; at once when that is so already."""
        if self._listening is None or self._listening.done():
            self._joined.clear()
            self._listening = asyncio.create_task(self._run(), name="commands-answers")
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                await self._joined.wait()

    async def wait(self, command: Command, seconds: float, look: Look) -> Command:
        """The command once it is final, or as it is after `seconds`. `look` reads its row.

        A command may end before anybody waits for it here: what was told since `expect` is not lost.
        """
        event = self._waiting.setdefault(command.id, asyncio.Event())
        loop = asyncio.get_running_loop()
        end, pause = loop.time() + seconds, FIRST_LOOK
        try:
            while True:
                left = end - loop.time()
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left, pause)):
                        await event.wait()
                if command.id in self._ended:
                    return self._ended[command.id]
                event.clear()
                command = await look()
                if command.is_final or loop.time() >= end or not self._patient:
                    return command
                pause = NEXT_LOOK
        finally:
            self._waiting.pop(command.id, None)
            self._ended.pop(command.id, None)

    def expect(self, command_id: CommandId) -> None:
        """Remember what is told about this command until `wait` or `forget`."""
        self._waiting.setdefault(command_id, asyncio.Event())

    def forget(self, command_id: CommandId) -> None:
        """Nobody will wait for it after all."""
        self._waiting.pop(command_id, None)
        self._ended.pop(command_id, None)

    def told(self, command: Command) -> None:
        """A command ended."""
        event = self._waiting.get(command.id)
        if event is not None:
            self._ended[command.id] = command
            event.set()

    def end(self) -> None:
        """The process ends: everybody is answered with the command as it stands, now and from now on."""
        self._patient = False
        self._look_all()

    async def _run(self) -> None:
        async with self._bus.subscribe(self.channel, limit=10_000, on_gap=self._look_all) as answers:
            self._joined.set()
            async for message in answers:
                try:
                    self.told(_decode(message.data))
                except (msgspec.MsgspecError, ValueError):
                    log.warning("commands.unreadable_answer", size=len(message.data))

    def _look_all(self) -> None:
        """Something may have been missed: everybody looks."""
        for event in self._waiting.values():
            event.set()


_waiters: WeakKeyDictionary[Bus, Waiters] = WeakKeyDictionary()


def waiters_of(bus: Bus) -> Waiters:
    """The process's Waiters."""
    found = _waiters.get(bus)
    if found is None:
        found = _waiters[bus] = Waiters(bus)
    return found


def answer_waiting(bus: Bus) -> None:
    """This process ends: whoever waits in it for a command's end gets the command as it stands."""
    here = _waiters.get(bus)
    if here is not None:
        here.end()


async def tell(bus: Bus, command: Command) -> None:
    """Wake whoever waits for this command, which is final and committed, in whichever process."""
    if command.waiter is None:
        return
    here = _waiters.get(bus)
    if here is not None and here.channel == command.waiter:
        here.told(command)
    else:
        await bus.publish_quietly(command.waiter, _encode(command))
