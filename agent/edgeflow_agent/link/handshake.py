"""From an address to a tunnel that is in, or to a sentence that says why not."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException

from edgeflow_protocol import FrameError, decode_from_cloud, encode
from edgeflow_protocol.closing import CloseCode
from edgeflow_protocol.frames import Connect, Connected, Error
from edgeflow_protocol.limits import MAX_FRAME_BYTES

from .. import VERSION
from .backoff import Pace
from .rest import CloudRest, explain_connection


@dataclass(frozen=True, slots=True)
class Target:
    """Where to go and as whom."""

    rest: CloudRest
    device_id: str
    api_key: str

    @property
    def url(self) -> str:
        """The tunnel's address."""
        return f"{'ws' if self.rest.tls is None else 'wss'}://{self.rest.authority}/tunnel"


class Refused(Exception):
    """The cloud did not let us in, or put us out: `code` is a close code or 0."""

    def __init__(self, sentence: str, code: int = 0, retry_after: float = 0.0) -> None:
        super().__init__(sentence)
        self.code = code
        self.retry_after = retry_after


async def dial(target: Target, pace: Pace) -> ClientConnection:
    """A WebSocket to the cloud's tunnel. Raises Refused when none comes about."""
    try:
        return await connect(
            target.url,
            ssl=target.rest.tls,
            open_timeout=pace.handshake,
            close_timeout=pace.closing,
            ping_interval=None,
            compression=None,
            proxy=None,
            max_size=MAX_FRAME_BYTES,
            user_agent_header=f"edgeflow-agent/{VERSION}",
        )
    except InvalidStatus as error:
        status = error.response.status_code
        hint = error.response.headers.get("Retry-After", "")
        raise Refused(
            f"{target.rest.authority} refused the tunnel with HTTP {status}. Check that "
            "EDGEFLOW_SAAS_URL is an EdgeFlow Cloud, and that a proxy before it lets WebSockets pass.",
            retry_after=float(hint) if hint.isdigit() else 0.0,
        ) from error
    except TimeoutError as error:
        raise Refused(f"{target.rest.authority} did not answer within {pace.handshake:g} s.") from error
    except (OSError, InvalidHandshake, WebSocketException, ValueError) as error:
        sentence = explain_connection(error, target.rest.authority, target.rest.tls is not None)
        raise Refused(sentence) from error


async def enter(connection: ClientConnection, hello: Connect, authority: str, pace: Pace) -> Connected:
    """Say who we are; the cloud's `connected`. Raises Refused."""
    try:
        async with asyncio.timeout(pace.handshake):
            await connection.send(encode(hello), text=True)
            frame = decode_from_cloud(await connection.recv(decode=False))
    except TimeoutError as error:
        raise Refused(f"{authority} opened the tunnel but did not answer.") from error
    except ConnectionClosed as error:
        raise refusal_of(connection, None) from error
    except FrameError as error:
        raise Refused(f"{authority} answered something that is not understood: {error}") from error
    if isinstance(frame, Error):
        # The close code, which follows at once, says what kind of refusal it is.
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(pace.closing):
                await connection.recv(decode=False)
        raise refusal_of(connection, frame)
    if not isinstance(frame, Connected):
        raise Refused(f"{authority} answered `connect` with something else than `connected`.")
    return frame


def refusal_of(connection: ClientConnection, error: Error | None) -> Refused:
    """What a closed connection means; `error` is the frame that came before, if one did."""
    code = connection.close_code or 0
    said = (error.error if error else "") or connection.close_reason or ""
    match code:
        case CloseCode.BAD_CREDENTIALS:
            sentence = (
                f"The cloud does not accept this device's key ({said or 'unknown device or wrong key'}). "
                "If it was deleted or its key replaced, provision it again: edgeflow-agent provision CODE."
            )
        case CloseCode.SUSPENDED:
            sentence = (
                f"The organization of this device is suspended ({said or 'no reason given'}). Ask its owner."
            )
        case CloseCode.REPLACED:
            sentence = (
                "Another connection uses this device's key. "
                "If two machines share it, provision one of them again."
            )
        case CloseCode.RESTART | CloseCode.GOING_AWAY:
            sentence = "The cloud restarts."
        case _:
            sentence = f"The cloud closed the tunnel: {said}" if said else "The connection was lost."
    return Refused(sentence, code, error.retry_after if error else 0.0)
