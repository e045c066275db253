"""One connection of a device, driven by hand: what is sent, and how often, is the drill's to say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from edgeflow_cloud.drills.frame import CannotRun
from edgeflow_cloud.simulator import Credentials, DialFailed, Line
from edgeflow_protocol import FrameError, decode_from_cloud, encode, frames
from edgeflow_protocol.capabilities import Capability

_ENTER = 30.0


class Peer:
    """`await Peer.enter(url, credentials)`. `heard` has what the cloud said, `code` the close code or 0."""

    def __init__(self, credentials: Credentials, boot_id: str = "b0") -> None:
        self.credentials = credentials
        self.boot_id = boot_id
        self.heard: list[frames.CloudFrame] = []
        self.code = 0
        self.line: Line | None = None
        self.hear: Callable[[frames.CloudFrame], None] = self.heard.append
        """What becomes of a frame that came."""
        self._news = asyncio.Event()

    @classmethod
    async def enter(cls, url: str, credentials: Credentials, boot_id: str = "b0") -> Peer:
        """Connect to `ws://host:port/tunnel` and be let in. Raises CannotRun."""
        peer = cls(credentials, boot_id)
        await peer.dial(url)
        peer.say(
            frames.Connect(
                device_id=credentials.device_id,
                api_key=credentials.api_key,
                version="1.0.0",
                capabilities=[Capability.TELEMETRY, Capability.SHADOW],
                boot_id=boot_id,
            )
        )
        if not await peer.until(lambda: any(isinstance(one, frames.Connected) for one in peer.heard), _ENTER):
            raise CannotRun(f"{credentials.device_id} is not let in: {peer.heard}, close code {peer.code}.")
        return peer

    async def dial(self, url: str) -> None:
        """A WebSocket, and no word yet. Raises CannotRun."""
        try:
            self.line = await Line.dial(url, self)
        except DialFailed as error:
            raise CannotRun(f"{url} takes no connection: {error}") from error

    def say(self, frame: frames.DeviceFrame | bytes) -> None:
        """Send a frame, or bytes that are none."""
        if self.line is not None:
            self.line.send(frame if isinstance(frame, bytes) else encode(frame))

    async def until(self, truth: Callable[[], bool], within: float) -> bool:
        """Wait until it is so, looked at whenever something comes; False after so many seconds, or at the end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while not truth() and not self.code:
                    self._news.clear()
                    await self._news.wait()
        return truth()

    async def ended(self, within: float) -> int:
        """The close code; 0 when it is open after so many seconds."""
        await self.until(lambda: bool(self.code), within)
        return self.code

    def end(self) -> None:
        """Cut it."""
        if self.line is not None:
            self.line.abort()

    def received(self, line: Line, message: bytes) -> None:
        """Holder: a message."""
        try:
            self.hear(decode_from_cloud(message))
        except FrameError:
            return
        self._news.set()

    def closed(self, line: Line, code: int) -> None:
        """Holder: the socket is gone."""
        self.code = code
        self._news.set()
