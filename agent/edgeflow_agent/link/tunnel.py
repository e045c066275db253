"""Keeps the tunnel: connect, be in, lose it, wait with jitter, come back. Knows no verb and no shadow."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from websockets.asyncio.client import ClientConnection

from edgeflow_protocol.capabilities import HEARTBEAT_INTERVAL_SECONDS
from edgeflow_protocol.closing import CloseCode
from edgeflow_protocol.frames import Connect, DeviceFrame

from .. import VERSION
from .backoff import Backoff, Pace
from .handshake import Refused, Target, dial, enter, refusal_of
from .session import LinkDown, Over, Receive, Serve, Session

_log = logging.getLogger(__name__)
_FINAL = frozenset(code for code in CloseCode if code.is_final)


class NotReady(Exception):
    """There is nothing to connect to (yet). `retry` says whether time may help; else only a change does."""

    def __init__(
        self, status: str, detail: str, *, retry: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry = retry
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class TunnelStatus:
    """What people are told: `status` one word, `detail` a sentence, `next_attempt_at` only while waiting."""

    status: str = "starting"
    detail: str = ""
    connected_since: datetime | None = None
    next_attempt_at: datetime | None = None
    failures: int = 0


class Tunnel:
    """Runs one session after another. `identify` gives the target; `receive` and `serve` get what comes."""

    def __init__(
        self,
        identify: Callable[[], Awaitable[Target]],
        receive: Receive,
        serve: Serve,
        *,
        boot_id: str,
        capabilities: tuple[str, ...],
        heartbeat_interval: float | None = None,
        max_attempts: int | None = None,
        pace: Pace | None = None,
        dice: Random | None = None,
    ) -> None:
        self.status = TunnelStatus()
        self.last_heard: datetime | None = None
        self._identify = identify
        self._receive = receive
        self._serve = serve
        self._boot_id = boot_id
        self._capabilities = list(capabilities)
        self._heartbeat_interval = heartbeat_interval
        self._max_attempts = max_attempts
        self._pace = pace or Pace()
        self._dice = dice or Random()  # noqa: S311 - jitter, not a secret
        self._backoff = Backoff(self._pace, self._dice)
        self._reconnects = 0
        self._entered_at: float | None = None
        self._wanted = True
        self._stopped = False
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()
        self._session: Session | None = None

    @property
    def connected(self) -> bool:
        """Whether a session is in."""
        return self._session is not None

    async def send(self, frame: DeviceFrame) -> None:
        """Queue a frame on the live session. Raises LinkDown, or FrameError when the frame is too large."""
        session = self._session
        if session is None:
            raise LinkDown
        await session.send(frame)

    def connect(self) -> None:
        """Want to be connected, and try now, whatever the wait or the count says."""
        self._wanted = True
        if self._session is None:
            self._begin_anew()

    def disconnect(self) -> None:
        """Close with 1000 and stay away until `connect`."""
        self._wanted = False
        self._changed.set()
        if self._session is not None:
            self._session.end("Disconnected by a person.")

    def reconnect(self) -> None:
        """Where or who changed: end the session there is, and identify again."""
        self._begin_anew()
        if self._session is not None:
            self._session.end("The configuration changed.")

    async def stop(self) -> None:
        """Like `disconnect`, and wait (a few seconds at most) until the cloud has been told."""
        self._stopped = True
        self.disconnect()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pace.closing + 1.0):
                await self._idle.wait()

    def _begin_anew(self) -> None:
        self._backoff.reset()
        self._reconnects = 0
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled; a live session is then closed with 1000."""
        while True:
            self._changed.clear()
            if not self._wanted:
                if not self._stopped:
                    self._show(
                        "disconnected", "Disconnected by a person. POST saas/connect to connect again."
                    )
                self._idle.set()
                await self._changed.wait()
                self._idle.clear()
                continue
            try:
                delay = await self._attempt()
            except NotReady as reason:
                if not reason.retry:
                    self._show(reason.status, reason.detail)
                    await self._changed.wait()
                    continue
                delay = self._delay(reason.retry_after)
                self._show(reason.status, reason.detail, wait=delay)
            await self._wait(delay)

    async def _attempt(self) -> float | None:
        """One try, and the session if it succeeds. Returns the wait before the next, None for "never"."""
        self._show("connecting", self.status.detail)
        target = await self._identify()
        self._entered_at = None
        refusal: Refused | None = None
        try:
            over = await self._live(target)
            # A cloud that asks everybody who comes to go again must not be hammered.
            if over.at_once and self._lived() >= self._pace.settle:
                self._backoff.reset()
                return 0.0
            detail = over.reason
        except Refused as error:
            detail, refusal = str(error), error
        if self._changed.is_set():
            return 0.0
        if self._lived() >= self._pace.stable:
            self._backoff.reset()
        if self._max_attempts is not None and self._reconnects >= self._max_attempts:
            self._show(
                "gave_up",
                f"{detail} Gave up after {self._reconnects} reconnects "
                "(EDGEFLOW_SAAS_MAX_RECONNECT_ATTEMPTS). POST saas/connect to try again.",
            )
            return None
        self._reconnects += 1
        delay = self._delay_after(refusal)
        word = "refused" if refusal is not None and refusal.code in _FINAL else "offline"
        self._show(word, detail, wait=delay)
        return delay

    async def _live(self, target: Target) -> Over:
        """Connect, be in, work. Raises Refused when the cloud says no or cannot be reached."""
        connection = await dial(target, self._pace)
        try:
            hello = Connect(
                device_id=target.device_id,
                api_key=target.api_key,
                version=VERSION,
                capabilities=self._capabilities,
                boot_id=self._boot_id,
            )
            connected = await enter(connection, hello, target.rest.authority, self._pace)
            if self._changed.is_set():  # Meanwhile somebody said something else.
                return Over("The configuration changed.", at_once=True)
            wished = [self._heartbeat_interval, connected.heartbeat_interval or None]
            heartbeat = min((seconds for seconds in wished if seconds), default=HEARTBEAT_INTERVAL_SECONDS)
            session = Session(connection, connected, heartbeat, self._pace, self._dice)
            return await self._work(connection, session)
        finally:
            # Also when we are cancelled: the cloud should see 1000, not wait for three heartbeats.
            with contextlib.suppress(Exception):
                await asyncio.shield(connection.close(1000))

    async def _work(self, connection: ClientConnection, session: Session) -> Over:
        self._entered_at = _monotonic()
        self._reconnects = 0
        self._session = session
        self.status = TunnelStatus("online", "", connected_since=datetime.now(UTC))
        offered = ", ".join(sorted(session.capabilities)) or "no extensions"
        _log.info("Connected, session %s, with %s.", session.session_id or "-", offered)
        try:
            over = await session.run(self._receive, self._serve)
        except Exception as error:
            # A fault of ours must not end the agent: the next session starts clean, after the usual wait.
            _log.exception("The session failed.")
            raise Refused(f"The session failed: {error}") from error
        finally:
            self._session = None
            self.last_heard = session.last_heard
        if over is None:
            raise refusal_of(connection, session.last_error)
        return over

    def heard_at(self) -> datetime | None:
        """When the cloud was last heard of."""
        return self._session.last_heard if self._session is not None else self.last_heard

    def _lived(self) -> float:
        """Seconds since the last session came in; 0 when none did in this attempt."""
        return 0.0 if self._entered_at is None else _monotonic() - self._entered_at

    def _delay(self, retry_after: float | None) -> float:
        return self._backoff.next_after(retry_after) if retry_after else self._backoff.next()

    def _delay_after(self, refusal: Refused | None) -> float:
        if refusal is None:
            return self._backoff.next()
        if refusal.retry_after > 0:
            return self._backoff.next_after(refusal.retry_after)
        if refusal.code in _FINAL or refusal.code in (CloseCode.REPLACED, CloseCode.TOO_MANY):
            return self._backoff.next_slow()
        return self._backoff.next()

    async def _wait(self, delay: float | None) -> None:
        """Until `delay` is over (None: for ever), or somebody wants or changes something."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._changed.wait()

    def _show(self, status: str, detail: str, wait: float | None = None) -> None:
        level = logging.INFO if status in ("connecting", "disconnected", "disabled") else logging.WARNING
        if detail and (status, detail) != (self.status.status, self.status.detail) and status != "connecting":
            _log.log(level, "%s%s", detail, "" if wait is None else f" Next try in {wait:.1f} s.")
        until = None if wait is None else datetime.now(UTC) + timedelta(seconds=wait)
        self.status = TunnelStatus(status, detail, next_attempt_at=until, failures=self._backoff.failures)


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
