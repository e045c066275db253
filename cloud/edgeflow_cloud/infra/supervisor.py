"""Services of one process: started in order, watched, ended in reverse, in bounded time.

SIGINT and SIGTERM are handled from the first moment on, also when a background start has told the shell to
ignore them. The first one drains; the next hastens: what still ends gets a second. After `limit` seconds the
process is gone, whatever hangs.
"""

import asyncio
import faulthandler
import signal
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

import structlog

log = structlog.get_logger("edgeflow.supervisor")

_STOP_LIMIT = 10.0
_HASTE = 1.0
_LONGEST_PAUSE = 30.0
_CALM = 60.0
"""Seconds a service must have run for its next crash to count as a first one."""


class Service(Protocol):
    """Something that lives as long as the process does.

    `restarts`: when `run` raises, True runs it again after a growing pause, False ends the process. `run`
    may return by itself when its work is done. A service may also have `stop_limit` (seconds that its `stop`
    may take, default 10) and `hasten()` (called once when a person will not wait).
    """

    name: str
    restarts: bool

    async def start(self) -> None:
        """Become ready; what depends on it is started next. What it raises ends the process."""
        ...

    async def run(self) -> None:
        """Work until `stop`."""
        ...

    async def stop(self) -> None:
        """Finish what is in hand and let go."""
        ...


class ServiceCrashed(Exception):
    """A service that the process cannot do without has failed; its cause says how."""

    def __init__(self, service: str, cause: BaseException) -> None:
        super().__init__(f"The {service} failed and was needed: {_said(cause)}")
        self.service = service


class Supervisor:
    """`async with Supervisor() as supervisor: await supervisor.start(…); await supervisor.wait()`.

    A signal cancels the block at whatever it awaits, so that a start can be interrupted too; its end
    looks like an ordinary one. Raises ServiceCrashed at the end of the block when a service was the reason.
    """

    def __init__(self, *, limit: float = 45.0, on_signal: Callable[[bool], None] | None = None) -> None:
        self._limit = limit
        self._on_signal = on_signal
        self._running: list[tuple[Service, asyncio.Task[None]]] = []
        self._main: asyncio.Task[object] | None = None
        self._cancelled = False
        self._hasty = asyncio.Event()
        self._handled: list[signal.Signals] = []
        self.stopping = False
        self.failure: ServiceCrashed | None = None

    async def __aenter__(self) -> Self:
        self._main = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # nohup means it
            loop.add_signal_handler(number, self._signalled)
            self._handled.append(number)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        ours = isinstance(error, asyncio.CancelledError) and self._cancelled
        self.stopping = True
        drain = asyncio.create_task(self._drain())
        while not drain.done():
            try:
                await asyncio.shield(drain)
            except asyncio.CancelledError:
                # Ours, sent as the block was ending; or from outside, which waits: draining is bounded.
                ours = ours or self._cancelled
        for number in self._handled:
            asyncio.get_running_loop().remove_signal_handler(number)
        if self._cancelled and self._main is not None:
            self._main.uncancel()
        drain.result()
        if self.failure is not None and (ours or error is None):
            raise self.failure from self.failure.__cause__
        return ours

    async def start(self, service: Service) -> None:
        """Start the service and let it run. What its `start` raises comes through."""
        began = time.monotonic()
        await service.start()
        seconds = round(time.monotonic() - began, 3)
        log.debug("service started", service=service.name, seconds=seconds)
        task = asyncio.create_task(self._run(service), name=service.name)
        self._running.append((service, task))

    async def wait(self) -> None:
        """Until a signal, `request_stop`, or the crash of a service that is needed."""
        await asyncio.get_running_loop().create_future()

    def request_stop(self) -> None:
        """End as on a signal."""
        if not self.stopping:
            self.stopping = True
            self._cancelled = True
            if self._main is not None:
                self._main.cancel()

    def _signalled(self) -> None:
        again = self.stopping
        if self._on_signal is not None:
            self._on_signal(again)
        if not again:
            self.request_stop()
        elif not self._hasty.is_set():
            self._hasty.set()
            for service, _task in self._running:
                hasten = getattr(service, "hasten", None)
                if callable(hasten):
                    hasten()

    async def _run(self, service: Service) -> None:
        crashes = 0
        while True:
            began = time.monotonic()
            try:
                await service.run()
                return
            except Exception as error:
                if self.stopping:
                    log.warning("service failed while ending", service=service.name, error=_said(error))
                    return
                if not service.restarts:
                    self._crashed(service, error)
                    return
                crashes = 1 if time.monotonic() - began > _CALM else crashes + 1
                pause = min(_LONGEST_PAUSE, 0.2 * 2 ** (crashes - 1))
                log.error("service failed", service=service.name, again_in=pause, exc_info=error)
            await asyncio.sleep(pause)

    def _crashed(self, service: Service, error: Exception) -> None:
        log.error("service failed", service=service.name, exc_info=error)
        self.failure = ServiceCrashed(service.name, error)
        self.failure.__cause__ = error
        self.request_stop()

    async def _drain(self) -> None:
        # The last word on the time it takes: it also ends a process whose event loop is stuck.
        armed = _arm(self._limit)
        try:
            while self._running:
                service, task = self._running[-1]
                await self._stop(service)
                task.cancel()
                await asyncio.wait([task], timeout=_HASTE)
                self._running.pop()
        finally:
            if armed:
                faulthandler.cancel_dump_traceback_later()

    async def _stop(self, service: Service) -> None:
        began = time.monotonic()
        stop = asyncio.create_task(service.stop(), name=f"stop {service.name}")
        haste = asyncio.create_task(self._hasty.wait())
        limit = float(getattr(service, "stop_limit", _STOP_LIMIT))
        await asyncio.wait([stop, haste], timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        haste.cancel()
        if not stop.done():
            await asyncio.wait([stop], timeout=_HASTE)
        if not stop.done():
            stop.cancel()
            await asyncio.wait([stop], timeout=_HASTE)
            log.warning("service did not end in time", service=service.name)
        elif not stop.cancelled() and (error := stop.exception()) is not None:
            log.warning("service failed while ending", service=service.name, error=_said(error))
        log.debug("service ended", service=service.name, seconds=round(time.monotonic() - began, 3))


def _arm(limit: float) -> bool:
    stream = sys.__stderr__
    if stream is None:
        return False
    try:
        faulthandler.dump_traceback_later(limit, exit=True, file=stream)
    except (OSError, ValueError):  # no real file behind it
        return False
    return True


def _said(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_said(inner) for inner in error.exceptions)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return str(error) or type(error).__name__
