"""One WebSocket of a simulated device, with what may be wrong with it: loss, delay, a reader that stalls."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Protocol, cast

from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport
from picows import ws_connect as _ws_connect  # pyright: ignore[reportUnknownVariableType] - its kwargs

from edgeflow_cloud.simulator.faults import HEALTHY, Ailments

ABNORMAL = 1006
_READ_BUFFER = 2048


class DialFailed(Exception):
    """No WebSocket came about; the text says why. `status` is the HTTP status of a refusal, or 0."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status


class Holder(Protocol):
    """Whose line it is. Both calls come from the event loop and must return at once."""

    def received(self, line: "Line", message: bytes) -> None:
        """One whole text message."""
        ...

    def closed(self, line: "Line", code: int) -> None:
        """The socket is gone; `code` is the other side's close code, 1006 when it went without one."""
        ...


class Line(WSListener):
    """A connection. Made by `Line.dial`; what is sent or comes after `close` is dropped."""

    __slots__ = ("_ailments", "_closing", "_code", "_coming", "_dice", "_going", "_holder", "_transport")

    def __init__(self, holder: Holder, ailments: Ailments, dice: Random) -> None:
        self._holder = holder
        self._ailments = ailments
        self._dice = dice
        self._transport: WSTransport | None = None
        self._closing = False
        self._code = ABNORMAL
        self._coming = _Road()
        self._going = _Road()

    @classmethod
    async def dial(
        cls,
        url: str,
        holder: Holder,
        *,
        ailments: Ailments = HEALTHY,
        dice: Random | None = None,
        timeout: float = 10.0,
        tls: ssl.SSLContext | None = None,
    ) -> "Line":
        """Open a WebSocket to `url`. Raises DialFailed."""
        made = cls(holder, ailments, dice or Random())  # noqa: S311 - bad luck, not a secret
        try:
            async with asyncio.timeout(timeout):
                await _ws_connect(
                    lambda: made,
                    url,
                    ssl_context=tls,
                    websocket_handshake_timeout=timeout,
                    max_redirects=0,
                    read_buffer_init_size=_READ_BUFFER,
                    disconnect_on_exception=True,
                )
        except WSError as error:
            response = cast(object, getattr(error, "response", None))
            status = int(getattr(response, "status", 0) or 0)
            raise DialFailed(f"The tunnel was refused: {error}.", status) from error
        except (OSError, TimeoutError, ValueError) as error:
            raise DialFailed(str(error) or "No answer in time.") from error
        if made._transport is None:  # picows says nothing of a socket that ends inside the handshake
            raise DialFailed("The connection was lost during the handshake.")
        return made

    @property
    def is_open(self) -> bool:
        """Whether a frame may still be sent."""
        return self._transport is not None and not self._closing

    def send(self, message: bytes) -> bool:
        """Send one text message, or delay it as the line's faults have it. False: it is closed."""
        if self._transport is None or self._closing:
            return False
        if self._ailments.delay or self._going.busy:
            self._going.send(self._delay(), lambda: self._write(message))
        else:
            self._write(message)
        return True

    def close(self, code: int = 1000) -> None:
        """Say goodbye; the socket is cut when the other side answers, or after two seconds."""
        transport = self._transport
        if transport is None or self._closing:
            return
        self._closing = True
        transport.send_close(cast(WSCloseCode, code))
        asyncio.get_running_loop().call_later(2.0, transport.disconnect, False)

    def abort(self) -> None:
        """The power goes: no close frame, nothing."""
        self._closing = True
        if self._transport is not None:
            self._transport.disconnect(False)

    def recover(self) -> None:
        """No more faults."""
        self._ailments = HEALTHY
        self.resume()

    def stall(self) -> None:
        """Read nothing any more."""
        if self._transport is not None:
            self._transport.underlying_transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.underlying_transport.resume_reading()

    # --- what picows calls

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        transport.request.headers.clear()  # nobody reads the HTTP heads again, and there are thousands
        transport.response.headers.clear()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind == WSMsgType.TEXT:
            if self._closing:
                return
            ailments = self._ailments
            if ailments.loss and self._dice.random() < ailments.loss:
                return
            message = frame.get_payload_as_bytes()
            if ailments.delay or self._coming.busy:
                self._coming.send(self._delay(), lambda: self._holder.received(self, message))
            else:
                self._holder.received(self, message)
        elif kind == WSMsgType.CLOSE:
            self._code = int(cast(int, frame.get_close_code())) or 1005
            if not self._closing:
                self._closing = True
                transport.send_close(cast(WSCloseCode, self._code if self._code != 1005 else 1000))
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transport = None
        self._closing = True
        # What is still on its way comes first; then the end.
        self._coming.send(0.0, lambda: self._holder.closed(self, self._code))

    def pause_writing(self) -> None:
        """A device sends little; its own window bounds what is unsent."""

    def resume_writing(self) -> None:
        """See `pause_writing`."""

    def _write(self, message: bytes) -> None:
        if self._transport is not None and not self._closing:
            self._transport.send(WSMsgType.TEXT, message)

    def _delay(self) -> float:
        return self._dice.uniform(0.0, self._ailments.delay)


class _Road:
    """Calls that happen later, in the order in which they were sent whatever their delays."""

    __slots__ = ("_due", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] | None = None
        self._due = 0.0

    @property
    def busy(self) -> bool:
        """Whether something is on its way: whatever comes later must not overtake it."""
        return bool(self._waiting)

    def send(self, delay: float, call: Callable[[], None]) -> None:
        """Call it `delay` seconds from now, after all that was sent before."""
        if not delay and not self._waiting:
            call()
            return
        if self._waiting is None:
            self._waiting = deque()
        loop = asyncio.get_running_loop()
        self._due = max(self._due, loop.time() + delay)
        self._waiting.append(call)
        # Timers that are due together fire in any order; each takes whoever is first, so the order holds.
        loop.call_at(self._due, self._next)

    def _next(self) -> None:
        if self._waiting:
            self._waiting.popleft()()
