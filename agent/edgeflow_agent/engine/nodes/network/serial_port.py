"""Serial ports that nodes share: one node may read what another writes to. Opened with the first node, closed with the
last, opened again whenever the device comes back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from ...node import Node, NodeConfig, NodeError
from .addresses import Backoff

_CHUNK = 4096
Hear = Callable[[bytes], None]


class SerialConfig(NodeConfig):
    """How the port is spoken to. Numbers may be written as text."""

    port: Annotated[str, Meta(title="Port", examples=["/dev/ttyUSB0"])] = ""
    baud_rate: Annotated[int, Meta(title="Baud rate", ge=50, le=4_000_000)] = 9600
    data_bits: Annotated[Literal[5, 6, 7, 8], Meta(title="Data bits")] = 8
    stop_bits: Annotated[Literal[1, 2], Meta(title="Stop bits")] = 1
    parity: Annotated[Literal["none", "even", "odd"], Meta(title="Parity")] = "none"


class SerialPort:
    """One per device file and process."""

    _open: ClassVar[dict[str, SerialPort]] = {}

    def __init__(self, config: SerialConfig) -> None:
        self.path = config.port
        self._settings = _settings(config)
        self._users: dict[Node[SerialConfig], Hear | None] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._connected = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def join(cls, node: Node[SerialConfig], hear: Hear | None = None) -> SerialPort:
        """The port of the node's config; `hear` gets what comes, in pieces. Raises NodeError."""
        config = node.config
        if not config.port:
            raise NodeError(f"A {node.type} node needs a port, for example /dev/ttyUSB0.")
        port = cls._open.get(config.port)
        if port is None:
            port = cls._open[config.port] = cls(config)
        elif port._settings != _settings(config):
            other = next(iter(port._users))
            raise NodeError(
                f"The node {other.name or other.id} uses {config.port} with other settings. Give both nodes the same "
                "baud rate, data bits, stop bits and parity."
            )
        port._users[node] = hear
        if port._task is None:
            port._task = asyncio.get_running_loop().create_task(port._keep(), name=f"serial {config.port}")
        elif port._writer is not None:
            node.status("open", "green")
        return port

    async def leave(self, node: Node[SerialConfig]) -> None:
        """The node stops."""
        self._users.pop(node, None)
        if self._users or self._task is None:
            return
        task, self._task = self._task, None
        if self._open.get(self.path) is self:
            del self._open[self.path]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def write(self, data: bytes, seconds: float) -> None:
        """Give the device bytes; waits so long for it to be there. Raises NodeError."""
        try:
            async with asyncio.timeout(seconds):
                await self._connected.wait()
                writer = self._writer
                if writer is not None:
                    writer.write(data)
                    await writer.drain()
                    return
        except TimeoutError:
            pass
        except Exception as error:  # serialx has errors of its own beside OSError
            raise NodeError(f"Not written to {self.path}: {error}.") from None
        raise NodeError(f"{self.path} is not there. Nothing was written.")

    async def _keep(self) -> None:
        backoff = Backoff(0.5, 10.0)
        said = ""
        while True:
            reason = "the device is gone"
            try:
                await self._talk(backoff)
            except ImportError:
                reason = "serial ports need the Python package serialx: install edgeflow-agent[network]"
            except PermissionError:
                reason = (
                    "the agent may not use it; put its user into the group dialout and start the agent again"
                )
            except FileNotFoundError:
                reason = "there is no such device; it is looked for until it is there"
            except Exception as error:  # what a driver says: told, and tried again
                reason = str(error) or type(error).__name__
            finally:
                self._connected.clear()
                writer, self._writer = self._writer, None
                if writer is not None:
                    writer.close()
                    with contextlib.suppress(Exception):
                        await writer.wait_closed()
            for node in self._users:
                node.status(reason, "red", "ring")
                if reason != said:
                    node.log(f"{self.path}: {reason}", "warning")
            said = reason
            await asyncio.sleep(backoff.wait())

    async def _talk(self, backoff: Backoff) -> None:
        from serialx import Parity, StopBits, open_serial_connection

        rate, bits, stop, parity = self._settings
        reader, self._writer = await open_serial_connection(
            url=self.path,
            baudrate=rate,
            byte_size=bits,
            stopbits=StopBits(float(stop)),
            parity={"none": Parity.NONE, "even": Parity.EVEN, "odd": Parity.ODD}[parity],
            exclusive=True,
        )
        backoff.reset()
        self._connected.set()
        for node in self._users:
            node.status("open", "green")
        while data := await reader.read(_CHUNK):
            for hear in self._users.values():
                if hear is not None:
                    hear(data)


def _settings(config: SerialConfig) -> tuple[int, int, int, str]:
    return config.baud_rate, config.data_bits, config.stop_bits, config.parity
