"""Connections on uvicorn's port and on one of our own; pins what is private in picows and uvicorn."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from ipaddress import ip_network
from pathlib import Path

import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from edgeflow_cloud.infra.sockets import MAX_UNSENT_BYTES, Connection, Receiver
from edgeflow_cloud.tunnel import listen, trusting, websocket_protocol
from edgeflow_protocol.limits import MAX_FRAME_BYTES

WAIT = 5.0


class Echo:
    """A receiver that answers each message with its length."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.messages: list[bytes] = []
        self.closes: list[int] = []

    def opened(self, connection: Connection) -> None:
        self.connections.append(connection)

    def received(self, connection: Connection, message: bytes) -> None:
        self.messages.append(message)
        connection.send(str(len(message)).encode())

    def closed(self, connection: Connection, code: int) -> None:
        self.closes.append(code)


async def application(scope, receive, send) -> None:
    """`/live` says hello; HTTP says hello too."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": f"live {scope['path']}"})
        await receive()
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def on_uvicorn(echo: Echo | None, **options: object) -> AsyncGenerator[int]:
    def receiver() -> Receiver | None:
        return echo

    config = uvicorn.Config(
        application,
        port=0,
        ws=websocket_protocol(receiver, trusting([ip_network("127.0.0.1/32")])),
        lifespan="off",
        log_config=None,
        **options,  # type: ignore[arg-type]
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server._serve(sockets=[listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def on_own_port(echo: Echo, **_: object) -> AsyncGenerator[int]:
    server = await listen(echo, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


both = pytest.mark.parametrize("serve", [on_uvicorn, on_own_port])


def dial(port: int, path: str = "/tunnel", **options: object) -> connect:
    return connect(f"ws://127.0.0.1:{port}{path}", proxy=None, ping_interval=None, **options)  # type: ignore[arg-type]


async def close_code(client: ClientConnection) -> int | None:
    with suppress(ConnectionClosed):
        while True:
            await asyncio.wait_for(client.recv(), WAIT)
    return client.protocol.close_code


def test_picows_is_the_version_whose_private_parts_we_know() -> None:
    assert version("picows") == "2.3.1", "read picows.pyx anew: WSProtocol's arguments are by position"


@both
async def test_messages_go_both_ways(serve) -> None:
    echo = Echo()
    async with serve(echo) as port, dial(port) as client:
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers
        for size in (0, 1, 125, 126, 65_535, 65_536, MAX_FRAME_BYTES):
            await client.send("x" * size)
            assert await asyncio.wait_for(client.recv(), WAIT) == str(size)
        await client.send(["frag", "ment", "s" * 1000])
        assert await client.recv() == "1008"
        assert echo.messages[-1].startswith(b"fragments")
        pong = await client.ping()
        await asyncio.wait_for(pong, WAIT)
        await client.close(1000)
    assert echo.closes == [1000]


@both
async def test_what_is_too_large_is_handed_on_for_an_answer_or_cut(serve) -> None:
    echo = Echo()
    async with serve(echo) as port:
        async with dial(port) as client:
            await client.send("x" * (MAX_FRAME_BYTES + 1))
            assert await client.recv() == str(MAX_FRAME_BYTES + 1)  # the hub says what is wrong, and closes
        async with dial(port) as client:
            await client.send(["x" * MAX_FRAME_BYTES, "y"])
            assert await client.recv() == str(MAX_FRAME_BYTES + 1)
        echo.messages.clear()
        async with dial(port) as client:
            with suppress(ConnectionClosed):
                await client.send("x" * (4 * MAX_FRAME_BYTES))
            assert await close_code(client) in (1009, 1006)
        assert echo.messages == []


@both
async def test_a_close_of_ours_arrives_with_its_reason(serve) -> None:
    echo = Echo()
    async with serve(echo) as port, dial(port) as client:
        await client.send("x")
        await client.recv()
        for _ in range(200):  # input that nobody reads any more must not eat our last words
            await client.send("y" * 1000)
        echo.connections[0].close(4409, "é" * 100)
        assert await close_code(client) == 4409
        assert client.protocol.close_reason == "é" * 61
        assert not echo.connections[0].send(b"late")


@both
async def test_binary_is_refused(serve) -> None:
    async with serve(Echo()) as port, dial(port) as client:
        await client.send(b"\x00")
        assert await close_code(client) == 1007


@both
async def test_a_reader_that_stalls_is_cut(serve) -> None:
    echo = Echo()
    async with serve(echo) as port:
        raw = await asyncio.to_thread(_upgraded, port)
        await asyncio.sleep(0.1)
        connection = echo.connections[0]
        sent = 0
        while connection.send(b"x" * 10_000) and sent < 5_000:
            sent += 1
            await asyncio.sleep(0)
        assert sent < 5_000
        assert connection.unsent_bytes <= MAX_UNSENT_BYTES + 20_000
        await asyncio.sleep(0.1)
        assert echo.closes == [1006]
        raw.close()


def _upgraded(port: int) -> socket.socket:
    """A socket that has upgraded and reads nothing."""
    raw = socket.create_connection(("127.0.0.1", port))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.sendall(
        b"GET /tunnel HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    return raw


@both
async def test_pausing_holds_the_other_side_back(serve) -> None:
    echo = Echo()
    async with serve(echo) as port, dial(port) as client:
        await client.send("x")
        await client.recv()
        echo.connections[0].pause_reading()
        await client.send("y")
        await asyncio.sleep(0.1)
        assert echo.messages == [b"x"]
        echo.connections[0].resume_reading()
        assert await asyncio.wait_for(client.recv(), WAIT) == "1"


@both
@pytest.mark.parametrize(("path", "status"), [("/tunnel?x=1", 101), ("/tunnel", 403), ("/elsewhere", 404)])
async def test_who_may_upgrade(serve, path: str, status: int) -> None:
    async with serve(Echo()) as port:
        if status == 101:
            async with dial(port, path):
                return
        origin = {"origin": Origin("https://evil.example")} if status == 403 else {}
        if status == 404 and serve is on_uvicorn:
            async with dial(port, path) as client:  # the application's own business
                assert await client.recv() == "live /elsewhere"
                return
        with pytest.raises(InvalidStatus) as caught:
            await dial(port, path, **origin)
        assert caught.value.response.status_code == status


async def test_other_paths_and_http_stay_with_uvicorn() -> None:
    async with on_uvicorn(Echo()) as port:
        async with dial(port, "/live?ticket=1") as client:
            assert await client.recv() == "live /live"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"ok")
        writer.close()


async def test_a_hub_that_does_not_accept_says_so() -> None:
    async with on_uvicorn(None) as port:
        with pytest.raises(InvalidStatus) as caught:
            await dial(port)
        assert caught.value.response.status_code == 503


async def test_the_address_behind_a_trusted_proxy() -> None:
    echo = Echo()
    async with on_uvicorn(echo) as port:
        async with dial(port, additional_headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}):
            pass
        async with dial(port):
            pass
    assert [one.address for one in echo.connections] == ["198.51.100.7", "127.0.0.1"]
    nobody = trusting(())
    assert nobody("203.0.113.1", "1.2.3.4") == "203.0.113.1"


async def test_tls(tmp_path: Path) -> None:
    certificate, key = _self_signed(tmp_path)
    trusted = ssl.create_default_context(cafile=str(certificate))
    echo = Echo()
    async with on_uvicorn(echo, ssl_certfile=str(certificate), ssl_keyfile=str(key)) as port:
        async with connect(f"wss://localhost:{port}/tunnel", ssl=trusted, proxy=None) as client:
            await client.send("x" * 100_000)
            assert await client.recv() == "100000"
        async with connect(f"wss://localhost:{port}/live", ssl=trusted, proxy=None) as client:
            assert await client.recv() == "live /live"


def _self_signed(folder: Path) -> tuple[Path, Path]:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"
