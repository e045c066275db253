"""The fault proxy against an echo."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from edgeflow_cloud.simulator import FaultProxy

Address = tuple[str, int]


@pytest.fixture
async def echo() -> AsyncIterator[Address]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
            writer.write(b"bye")
            await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()
    server.close()


async def talk(address: Address, text: bytes) -> tuple[bytes, float]:
    reader, writer = await asyncio.open_connection(*address)
    began = time.monotonic()
    try:
        writer.write(text)
        return await asyncio.wait_for(reader.readexactly(len(text)), 5), time.monotonic() - began
    finally:
        writer.close()


async def test_it_passes_bytes_and_ends(echo: Address) -> None:
    async with FaultProxy.open([echo]) as proxy:
        reader, writer = await asyncio.open_connection(*proxy.address)
        writer.write(b"x" * 300_000)
        assert await asyncio.wait_for(reader.readexactly(300_000), 5)
        writer.write_eof()  # half-closed: the answer still comes
        assert await asyncio.wait_for(reader.read(), 5) == b"bye"
        writer.close()


async def test_latency_is_each_way(echo: Address) -> None:
    async with FaultProxy.open([echo]) as proxy:
        proxy.latency = 0.1
        assert 0.19 < (await talk(proxy.address, b"hello"))[1] < 1.0


async def test_bandwidth_is_bounded(echo: Address) -> None:
    async with FaultProxy.open([echo]) as proxy:
        proxy.bandwidth = 20_000
        assert (await talk(proxy.address, b"x" * 4_000))[1] > 0.35


async def test_a_black_hole_ends_nothing_and_gives_all_back(echo: Address) -> None:
    async with FaultProxy.open([echo]) as proxy:
        reader, writer = await asyncio.open_connection(*proxy.address)
        proxy.blackhole = True
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(5), 0.3)
        assert not reader.at_eof()
        proxy.blackhole = False
        assert await asyncio.wait_for(reader.readexactly(5), 5) == b"hello"
        writer.close()


async def test_a_reset_is_a_reset(echo: Address) -> None:
    async with FaultProxy.open([echo]) as proxy:
        lines = [await asyncio.open_connection(*proxy.address) for _ in range(4)]
        for reader, writer in lines:
            writer.write(b"a")
            assert await reader.readexactly(1) == b"a"
        assert (proxy.connections, proxy.reset(0.5)) == (4, 2)
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(lines[0][0].read(), 5)
        lines[3][1].write(b"b")
        assert await asyncio.wait_for(lines[3][0].readexactly(1), 5) == b"b"
        for _, writer in lines:
            writer.close()


async def test_it_goes_to_whoever_takes_it(echo: Address) -> None:
    gone = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    nobody = gone.sockets[0].getsockname()
    gone.close()
    async with FaultProxy.open([nobody, echo]) as proxy:
        for _ in range(4):
            assert (await talk(proxy.address, b"hello"))[0] == b"hello"
        proxy.upstreams = [nobody]
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await talk(proxy.address, b"hello")
