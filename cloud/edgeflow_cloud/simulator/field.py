"""A device of the field: the base protocol, no extension, with the original's order of doing things and its faults."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random
from typing import ClassVar, cast

import httpx2

from edgeflow_cloud.simulator.answers import VERSION, Refused, field_answer
from edgeflow_cloud.simulator.credentials import Credentials, ProvisioningFailed, claim
from edgeflow_cloud.simulator.faults import Ailments
from edgeflow_cloud.simulator.line import Line
from edgeflow_cloud.simulator.machine import Device
from edgeflow_cloud.simulator.surroundings import Surroundings
from edgeflow_protocol import clock, encode, frames
from edgeflow_protocol.actions import Action

_REST_SECONDS = 10.0


class FieldDevice(Device):
    """Reconnects in linear steps and gives up; polls its shadow once for every connect it ever made; after a crash
    it knows nothing but its code, if it has one.
    """

    profile: ClassVar[str] = "field"

    __slots__ = ("_polls", "_running", "_tries", "_unanswered")

    def __init__(
        self, around: Surroundings, credentials: Credentials, ailments: Ailments, dice: Random
    ) -> None:
        super().__init__(around, credentials, ailments, dice)
        self._polls: list[asyncio.TimerHandle] = []
        self._running: set[str] = set()
        self._tries = -1  # the first connection at a start is tried once
        self._unanswered = 0

    def start(self, after: float = 0.0) -> None:
        if self.credentials.api_key:
            super().start(after)
        else:
            self.around.spawn(self._provision(after))

    def stop(self) -> None:
        self._end_polls()
        super().stop()

    def kill(self) -> None:
        self._end_polls()
        super().kill()

    def hello(self) -> frames.Connect:
        return frames.Connect(
            device_id=self.device_id,
            api_key=self.credentials.api_key,
            version=VERSION,
            timestamp=clock.format_time(self.now()),
        )

    def welcomed(self, connected: frames.Connected) -> None:
        self._tries = 0
        self._unanswered = 0
        if self.line is not None:
            # Its shadow over REST first; it reads the tunnel only then, and commands wait in the socket.
            self.line.stall()
            self.around.spawn(self._sync(self.line))

    def take(self, frame: frames.CloudFrame) -> None:
        if isinstance(frame, frames.Command):
            self.around.tally.commands_received += 1
            if self._unanswered:
                self.around.tally.violations += 1  # two answers at once would kill the original
            self._unanswered += 1
            self.around.spawn(self._obey(frame))

    def wait(self, code: int, refusal: frames.Error | None) -> float | None:
        steps = self.around.pace.field_reconnects
        if self._tries < 0 or self._tries >= len(steps):
            return None
        self._tries += 1
        return steps[self._tries - 1]

    def restarted(self) -> None:
        self._end_polls()
        self._running.clear()
        self._tries = -1
        if self.credentials.code:
            self.credentials = Credentials(self.device_id, "", self.credentials.code, self.credentials.number)

    def _end_polls(self) -> None:
        for poll in self._polls:
            poll.cancel()
        self._polls.clear()

    # --- REST

    async def _provision(self, after: float) -> None:
        await asyncio.sleep(after)
        try:
            self.around.tally.provision_calls += 1
            self.credentials = await claim(self.around.http, self.credentials.code, self.credentials.number)
        except (ProvisioningFailed, httpx2.HTTPError):
            self.around.tally.rest_failures += 1
            self.around.tally.gave_up += 1  # it never tries again until it is restarted
            return
        if not self.stopping:
            super().start()

    async def _sync(self, line: Line) -> None:
        await self._read_shadow()
        reported = {"online": True, "agent_version": VERSION, "last_updated": clock.format_time(self.now())}
        await self._call("PUT", {"reported": reported})
        line.resume()
        if self.line is line:
            self._polls.append(
                asyncio.get_running_loop().call_later(
                    self.around.pace.field_poll, self._poll, len(self._polls)
                )
            )

    def _poll(self, index: int) -> None:
        if self.stopping:
            return
        self.around.spawn(self._read_shadow())
        self._polls[index] = asyncio.get_running_loop().call_later(
            self.around.pace.field_poll, self._poll, index
        )

    async def _read_shadow(self) -> None:
        await self._call("GET", None)

    async def _call(self, method: str, body: dict[str, object] | None) -> dict[str, object] | None:
        path = f"{self.around.rest}/api/v1/devices/{self.device_id}/shadow"
        try:
            answer = await self.around.http.request(
                method,
                path,
                json=body,
                headers={"X-API-Key": self.credentials.api_key},
                timeout=_REST_SECONDS,
            )
            if answer.status_code == 200:
                return cast("dict[str, object]", answer.json())
        except (httpx2.HTTPError, ValueError):
            pass
        self.around.tally.rest_failures += 1
        return None

    # --- commands

    async def _obey(self, command: frames.Command) -> None:
        self.around.watch.ran(self.device_id, command.id, command.action)
        line = self.line
        try:
            if command.action in (Action.GET_SHADOW, Action.UPDATE_DESIRED):
                document = await self._call("GET", None)
                if document is None:
                    raise Refused("failed to get shadow")
                asked = command.action == Action.GET_SHADOW
                data: object = document if asked else {"delta": document.get("delta", {})}
            else:
                data = field_answer(self._running, command.action, command.payload)
            answer = frames.Response(id=command.id, status=frames.SUCCESS, data=data)
        except Refused as refused:
            answer = frames.Response(id=command.id, status=frames.ERROR, error=str(refused))
        self._unanswered -= 1
        with suppress(Exception):
            if line is not None and line.send(encode(answer)):
                self.around.tally.commands_answered += 1
