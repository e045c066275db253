"""Runs the cloud's commands: up to eight at a time, each id at most once, every one answered if the line
allows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from edgeflow_protocol import FrameError, encode
from edgeflow_protocol.capabilities import NEGOTIATED_COMMANDS_IN_FLIGHT
from edgeflow_protocol.frames import ERROR, SUCCESS, Command, Response

from ..link import LinkDown
from ..state import StateError
from .journal import Journal, Recorded
from .verb import CommandError, Verb

_log = logging.getLogger(__name__)
_WAITING = 64
_LONGEST = 60.0
_LONGEST_ID = 128
_responses = msgspec.json.Decoder(Response)


class Commands:
    """One per agent. `receive` takes a frame and returns at once; `run` does the work until cancelled.

    A command goes on when the line drops; its answer then goes over the next one.
    """

    def __init__(
        self,
        journal: Journal,
        verbs: Mapping[str, Verb],
        send: Callable[[Response], Awaitable[None]],
        longest: float = _LONGEST,
    ) -> None:
        self._journal = journal
        self._verbs = verbs
        self._send = send
        self._longest = longest
        self._waiting: asyncio.Queue[Command] = asyncio.Queue(_WAITING)
        self._running: set[str] = set()
        self._refusals: asyncio.Queue[Response] = asyncio.Queue(_WAITING)
        self._unsent: dict[str, Response] = {}

    def receive(self, command: Command) -> None:
        """Take a command. When too many wait already it is refused at once, and was not begun."""
        if not command.id or len(command.id) > _LONGEST_ID:
            _log.warning("The cloud sent a command (%s) without a usable id; it was dropped.", command.action)
            return
        if command.id in self._running:
            return  # It will be answered when it ends, over the line that is there then.
        try:
            self._waiting.put_nowait(command)
        except asyncio.QueueFull:
            refusal = Response(
                command.id, ERROR, error="The device has too many commands waiting. Try again later."
            )
            if not self._refusals.full():
                self._refusals.put_nowait(refusal)
            return
        self._running.add(command.id)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._refuse())
            for _ in range(NEGOTIATED_COMMANDS_IN_FLIGHT):
                group.create_task(self._work())

    async def resume(self) -> None:
        """A line is there: send the answers that found none."""
        while self._unsent:
            command_id = next(iter(self._unsent))
            await self._answer(self._unsent.pop(command_id))
            if command_id in self._unsent:
                return

    async def _work(self) -> None:
        while True:
            command = await self._waiting.get()
            try:
                await self._answer(await self._once(command))
            finally:
                self._running.discard(command.id)

    async def _refuse(self) -> None:
        while True:
            await self._answer(await self._refusals.get())

    async def _once(self, command: Command) -> Response:
        try:
            recorded = await self._journal.begin(command.id, command.action)
        except StateError as error:
            return Response(
                command.id, ERROR, error=f"Not run, because it could not be recorded first. {error}"
            )
        if recorded is not None:
            return _repeat(command, recorded)
        response = await self._run(command)
        try:
            encoded = encode(response)
        except FrameError as error:
            response = Response(
                command.id, ERROR, error=f"It was run, but its answer cannot be sent. {error}"
            )
            encoded = encode(response)
        try:
            await self._journal.finish(command.id, encoded)
        except StateError as error:
            _log.error("The answer to %s could not be recorded: %s", command.action, error)
        return response

    async def _run(self, command: Command) -> Response:
        verb = self._verbs.get(command.action)
        if verb is None:
            return Response(
                command.id, ERROR, error=f"This device does not know the action '{command.action[:64]}'."
            )
        _log.info("Running %s.", command.action)
        try:
            async with asyncio.timeout(self._longest):
                data = await verb(command.payload)
        except CommandError as error:
            return Response(command.id, ERROR, error=str(error))
        except TimeoutError:
            return Response(
                command.id, ERROR, error=f"{command.action} took longer than {self._longest:g} s."
            )
        except Exception as error:
            _log.exception("%s failed.", command.action)
            return Response(command.id, ERROR, error=f"{command.action} failed on the device: {error}")
        return Response(command.id, SUCCESS, data)

    async def _answer(self, response: Response) -> None:
        try:
            await self._send(response)
        except LinkDown:
            self._unsent[response.id] = response
            if len(self._unsent) > _WAITING:
                self._unsent.pop(next(iter(self._unsent)))


def _repeat(command: Command, recorded: Recorded) -> Response:
    if recorded.action != command.action:
        return Response(
            command.id,
            ERROR,
            error=f"The id of this command was used before, for {recorded.action}. It was not run.",
        )
    if recorded.response is None:
        return Response(
            command.id,
            ERROR,
            error="The agent was stopped while it ran this command. Whether it took effect is not known; it "
            "was not "
            "run again. Send it with a new id if it should be.",
        )
    return _responses.decode(recorded.response)
