"""HTTP/1.1 with bounds before anything is known of the caller: how big a request's head is, and how long it takes.

uvicorn keeps whatever it is sent until a head is complete, however much and however slowly it comes.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT: Final = 32 * 1024
"""Bytes of request line and headers together."""
HEAD_SECONDS: Final = 15.0
"""From the connection, or from a head's first byte, to its last."""
_LINGER: Final = 1.0
_TOO_LARGE: Final = b"The request's address and headers are larger than 32 KiB. Send less of them.\n"


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol; 431 for a head that is too large, the end for one that does not come."""

    _piece = _head_bytes = 0
    _in_head = False
    _refused = False
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._piece = len(data)
        self._head_bytes += self._piece
        super().data_received(data)
        # A head that is complete was judged by its own size; here is one that is still open.
        if self._in_head and self._head_bytes > HEAD_LIMIT:
            self._refuse()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, self._piece
        if self._timer is None:
            self._wait_for_head()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_waiting()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > HEAD_LIMIT:
            self._refused = True
            raise ValueError("the head is too large")  # the parser hands it to send_400_response
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if self._refused:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _refuse(self) -> None:
        self._refused = True
        self._stop_waiting()
        if self.transport.is_closing():
            return
        # What still comes is dropped for a moment: closing with unread bytes would take the answer away too.
        self._timer = asyncio.get_running_loop().call_later(_LINGER, self._give_up)
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
            b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n\r\n%s"
            % (len(_TOO_LARGE), _TOO_LARGE)
        )

    def _wait_for_head(self) -> None:
        self._stop_waiting()
        self._timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()
