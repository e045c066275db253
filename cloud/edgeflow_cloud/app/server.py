"""The one port: uvicorn for HTTP and `/live`, with `/tunnel` handed to the hub when this process has one."""

import asyncio
import errno
import os
import socket
import ssl
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from edgeflow_cloud.infra.http.protocol import BoundedProtocol
from edgeflow_cloud.infra.settings import Settings
from edgeflow_cloud.tunnel import Hub, listen, trusting

_BACKLOG = 4096
"""A fleet that comes home at once waits in the kernel, not in refusals."""
_DRAIN = 10
_PATIENCE = 4.0
"""Seconds of a stop after which those who wait for something to happen are answered as things stand."""
_FIRST_WORDS = 1.0
"""Seconds in which a caller who was taken at the last moment must begin to say what he wants."""


class PortTaken(RuntimeError):
    """The address cannot be listened on; the sentence says what to do."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which the supervisor has, and whose end costs no caller an answer."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more, answer those who have called, close.

        uvicorn alone would reset callers that the kernel has taken and it has not, and cut those whose request
        it has not read yet. A proxy may not send either again when it is a POST.
        """
        late: list[socket.socket] = []
        for server, listening in zip(self.servers, sockets or [], strict=False):
            late += _accepted(listening)
            server.close()
            listening.close()
        for caller in late:
            with suppress(OSError):
                await asyncio.get_running_loop().connect_accepted_socket(
                    self._protocol, caller, ssl=self.config.ssl
                )
        until = time.monotonic() + _FIRST_WORDS
        while time.monotonic() < until and self._has_unheard():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        await super().shutdown(sockets)

    def _has_unheard(self) -> bool:
        """Whether a connection is open on which no request was read yet."""
        return any(
            getattr(connection, "cycle", connection) is None for connection in self.server_state.connections
        )

    def _protocol(self) -> asyncio.Protocol:
        """As uvicorn makes one for each connection."""
        make = cast("Callable[..., asyncio.Protocol]", self.config.http_protocol_class)
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def _accepted(listening: socket.socket) -> list[socket.socket]:
    """Those that wait in the kernel."""
    taken: list[socket.socket] = []
    while True:
        try:
            caller, _ = listening.accept()
        except OSError:
            return taken
        caller.setblocking(False)
        taken.append(caller)


class WebServer:
    """Service: listens from `start` on, serves in `run`, finishes what runs in `stop`."""

    name = "web server"
    restarts = False
    stop_limit = _DRAIN + 2.0

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        websockets: type | None,
        hurry: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._hurry = hurry
        self._served = asyncio.Event()
        self._socket: socket.socket | None = None
        self._server = _Server(
            uvicorn.Config(
                app,
                ws=websockets or "websockets-sansio",
                ws_max_size=64 * 1024,
                http=BoundedProtocol,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=[str(network) for network in settings.trusted_proxies],
                ssl_certfile=settings.tls_cert,
                ssl_keyfile=settings.tls_key,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=_DRAIN,
            )
        )

    @property
    def port(self) -> int:
        """The port that is listened on, also when 0 was asked for."""
        return self._listening().getsockname()[1]

    async def start(self) -> None:
        """Take the address. Raises PortTaken."""
        self._socket = listen_on(self._settings.host, self._settings.port)

    async def run(self) -> None:
        """Serve until `stop`."""
        try:
            await self._server.serve(sockets=[self._listening()])
        finally:
            self._served.set()

    async def stop(self) -> None:
        """Take no more, finish what runs, at most ten seconds. After four `hurry()` is called once."""
        self._server.should_exit = True
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._served.wait()
        except TimeoutError:
            self._hurry()
            await self._served.wait()

    def hasten(self) -> None:
        """Cut what still runs."""
        self._server.force_exit = True

    def _listening(self) -> socket.socket:
        if self._socket is None:
            raise RuntimeError("start() comes first")
        return self._socket


class HubPort:
    """Service: a port for tunnels alone: EDGEFLOW_HUB_PORT, or EDGEFLOW_PORT where nothing else is served."""

    name = "hub port"
    restarts = False

    def __init__(self, hub: Hub, settings: Settings) -> None:
        self._hub = hub
        self._settings = settings
        self._server: asyncio.Server | None = None
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Take the address. Raises PortTaken."""
        wanted = self._settings.hub_port
        host, port = self._settings.host, self._settings.port if wanted is None else wanted
        try:
            self._server = await listen(
                self._hub,
                host,
                port,
                address_of=trusting(self._settings.trusted_proxies),
                ssl=self._tls(),
                backlog=_BACKLOG,
            )
        except OSError as error:
            raise PortTaken(_why(host, port, error)) from error

    async def run(self) -> None:
        """asyncio serves; the hub ends the connections."""
        await self._stopping.wait()

    async def stop(self) -> None:
        """Take no more."""
        self._stopping.set()
        if self._server is not None:
            self._server.close()

    def _tls(self) -> ssl.SSLContext | None:
        if self._settings.tls_cert is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._settings.tls_cert, self._settings.tls_key)
        return context


def listen_on(host: str, port: int) -> socket.socket:
    """A listening socket. Raises PortTaken with a sentence that says what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        made.close()
        raise PortTaken(_why(host, port, error)) from error
    made.setblocking(False)
    return made


def _why(host: str, port: int, error: Exception) -> str:
    match getattr(error, "errno", None):
        case errno.EADDRINUSE:
            return (
                f"Port {port} on {host} is taken by another program. Stop it, or set EDGEFLOW_PORT to "
                "another port (0 takes a free one)."
            )
        case errno.EACCES:
            return f"Port {port} needs rights that this user lacks. Set EDGEFLOW_PORT to a port above 1023."
        case errno.EADDRNOTAVAIL | socket.EAI_NONAME:
            return f"This machine has no address {host}. Set EDGEFLOW_HOST to one it has; 0.0.0.0 means all."
        case _:
            return f"Cannot listen on {host} port {port}: {os.strerror(getattr(error, 'errno', 0) or 0)}."
