"""Keeps the cloud's shadow and the device's in step, over the tunnel where both can, else over REST as ever.

At each connect everything is reported; what the cloud then says differs is done and reported. Every five
minutes the cloud's document is read again, so that nothing missed stays missed. Changes that could not be
told wait for the next.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import cast
from uuid import uuid4

from edgeflow_protocol.actions import DeviceAction
from edgeflow_protocol.capabilities import Capability
from edgeflow_protocol.frames import Command, Error, Response, ShadowAccepted, ShadowDesired, ShadowReported
from edgeflow_protocol.shadow import Document, merge, same

from ..link import CallFailed, Pace, Session, Target
from .runner import ShadowRunner, overlay

_log = logging.getLogger(__name__)
_Answer = ShadowAccepted | Error | Response


class _Later(Exception):
    """The sync was not finished; the sentence says why. Try again, `after` seconds from now if the cloud
    said so."""

    def __init__(self, sentence: str, after: float = 0.0) -> None:
        super().__init__(sentence)
        self.after = after


class ShadowSync:
    """One per agent; `serve` runs for each session, `receive` takes the frames that are about shadows."""

    def __init__(
        self,
        runner: ShadowRunner,
        facts: Callable[[], dict[str, object]],
        vitals: Callable[[], dict[str, object]],
        target: Callable[[], Target | None],
        pace: Pace,
    ) -> None:
        self._runner = runner
        self._facts = facts
        self._vitals = vitals
        self._target = target
        self._pace = pace
        self._unsaid: Document = {}
        self._asked = asyncio.Event()
        self._answers: dict[str, asyncio.Future[_Answer]] = {}
        self._pushed: ShadowDesired | None = None

    def receive(self, frame: ShadowDesired | ShadowAccepted | Error | Response) -> bool:
        """Whether the frame was about a shadow: a push, or an answer to a question of ours."""
        if isinstance(frame, ShadowDesired):
            if self._pushed is None or frame.version >= self._pushed.version:
                self._pushed = frame
            self._asked.set()
            return True
        waiting = self._answers.pop(frame.id, None)
        if waiting is None or waiting.done():
            return False
        waiting.set_result(frame)
        return True

    def request(self, change: Mapping[str, object] | None = None) -> None:
        """Sync soon; `change` of reported is to be told."""
        if change:
            self._unsaid = overlay(self._unsaid, change)
        self._asked.set()

    async def serve(self, session: Session) -> None:
        """In step until the session ends. Raises LinkDown."""
        loop = asyncio.get_running_loop()
        self._pushed = None
        self._runner.version = 0  # A cloud that was restored from a backup may count from an earlier number.
        self._unsaid = await self._everything()
        read = True
        resync_at = loop.time() + self._pace.resync
        while True:
            self._asked.clear()
            try:
                await self._step(session, read)
                read = False
            except _Later as later:
                _log.warning("The shadow could not be synced, another try follows: %s", later)
                loop.call_later(later.after or self._pace.answer, self._asked.set)
            try:
                async with asyncio.timeout_at(resync_at):
                    await self._asked.wait()
            except TimeoutError:
                read = True
                resync_at = loop.time() + self._pace.resync
                self._note_vitals()

    async def _step(self, session: Session, read: bool) -> None:
        """Once through: tell, read, do, tell. Raises _Later when it should be tried again."""
        try:
            if Capability.SHADOW in session.capabilities:
                await self._step_over_tunnel(session, read)
            elif (target := self._target()) is not None:
                await self._step_over_rest(target)
        except TimeoutError as error:
            raise _Later("no answer came.") from error
        except (CallFailed, ValueError) as error:
            raise _Later(str(error)) from error

    async def _everything(self) -> Document:
        self._runner.note(await asyncio.to_thread(self._facts))
        self._runner.note(self._vitals())
        return dict(self._runner.reported)

    def _note_vitals(self) -> None:
        """What changes by itself is told with the re-sync, and only if it did."""
        vitals = self._vitals()
        if not same(merge(self._runner.reported, vitals), self._runner.reported):
            self._runner.note(vitals)
            self._note(vitals)

    async def _step_over_tunnel(self, session: Session, read: bool) -> None:
        await self._say(session)
        if read:
            document = await self._read(session)
            self._accept(document)
        while self._pushed is not None or self._unsaid:
            pushed, self._pushed = self._pushed, None
            if pushed is not None and pushed.version >= self._runner.version:
                self._note(self._runner.accept_desired(pushed.desired, pushed.version))
            await self._say(session)

    async def _say(self, session: Session) -> None:
        """Tell what changed; only what the cloud has committed counts as told."""
        while self._unsaid:
            saying, self._unsaid = self._unsaid, {}
            try:
                answer = await self._ask(session, ShadowReported(_new_id(), saying))
            except BaseException:
                self._unsaid = overlay(saying, self._unsaid)
                raise
            if isinstance(answer, ShadowAccepted):
                self._note(self._runner.accept_delta(answer.delta, answer.version))
            elif isinstance(answer, Error) and answer.retry_after > 0:
                self._unsaid = overlay(saying, self._unsaid)
                raise _Later(answer.error, answer.retry_after)
            else:
                # Said again at the next connect; saying it again now would be refused again.
                _log.warning("The cloud did not accept what this device reports: %s", answer.error)

    async def _read(self, session: Session) -> Mapping[str, object]:
        """The cloud's document, asked for by a command of ours. Raises TimeoutError or ValueError."""
        answer = await self._ask(session, Command(_new_id(), DeviceAction.GET_SHADOW))
        if isinstance(answer, Response) and answer.succeeded and isinstance(answer.data, dict):
            return cast(dict[str, object], answer.data)
        reason = "" if isinstance(answer, ShadowAccepted) else answer.error
        raise ValueError(reason or "the cloud answered something else than a shadow")

    async def _ask(self, session: Session, question: ShadowReported | Command) -> _Answer:
        future: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._answers[question.id] = future
        try:
            await session.send(question)
            async with asyncio.timeout(self._pace.answer):
                return await future
        finally:
            self._answers.pop(question.id, None)

    async def _step_over_rest(self, target: Target) -> None:
        path = f"/api/v1/devices/{target.device_id}/shadow"
        got = await target.rest.call("GET", path, api_key=target.api_key)
        if got.status != 200:
            raise CallFailed(f"GET {path}: {got.error}")
        self._accept(got.object)
        while self._unsaid:
            saying, self._unsaid = self._unsaid, {}
            try:
                put = await target.rest.call("PUT", path, {"reported": saying}, api_key=target.api_key)
                if put.status != 200:
                    raise CallFailed(f"PUT {path}: {put.error}")
            except BaseException:
                self._unsaid = overlay(saying, self._unsaid)
                raise
            self._accept(put.object)

    def _accept(self, document: Mapping[str, object]) -> None:
        """A whole document from the cloud: what it desires counts, if it is not older than what is known."""
        desired, version = document.get("desired"), document.get("version")
        if not isinstance(desired, dict) or not isinstance(version, int):
            raise ValueError("the cloud answered something else than a shadow")
        self._note(self._runner.stale(document.get("reported")))
        if version >= self._runner.version:
            self._note(self._runner.accept_desired(cast(dict[str, object], desired), version))

    def _note(self, change: Mapping[str, object]) -> None:
        if change:
            self._unsaid = overlay(self._unsaid, change)


def _new_id() -> str:
    return f"ask-{uuid4().hex}"
