"""The bus on a real Valkey, one that is also taken away."""

# ruff: noqa: ASYNC110 - tests wait for what another process does

import asyncio
import uuid
from pathlib import Path

import pytest

from edgeflow_cloud.infra.bus import Bus, BusAway, Message
from edgeflow_cloud.infra.embedded import start_for_tests


def _channel() -> str:
    return f"live:{uuid.uuid4()}"


async def test_a_message_reaches_every_listener(bus: Bus) -> None:
    channel = _channel()
    async with bus.subscribe(channel) as one, bus.subscribe(channel, _channel()) as other:
        assert await bus.listeners(channel) == {channel: 1}  # one connection for both
        await bus.publish(channel, b"hello")
        async with asyncio.timeout(2):
            assert await anext(one) == Message(channel, b"hello")
            assert await anext(other) == Message(channel, b"hello")
    assert await bus.listeners(channel) == {channel: 0}


async def test_a_channel_joined_and_left_again_is_not_heard(bus: Bus) -> None:
    first, second = _channel(), _channel()
    async with bus.subscribe(first) as subscription:
        await subscription.add(second)
        await subscription.remove(first)
        await bus.publish(first, b"unheard")
        await bus.publish(second, b"heard")
        async with asyncio.timeout(2):
            assert await anext(subscription) == Message(second, b"heard")
        for _ in range(20):  # a leave and a join of one channel keep their order
            await subscription.remove(second)
            await subscription.add(second)
        assert await bus.publish(second, b"again") == 1


async def test_full_drops_the_oldest_and_says_so(bus: Bus) -> None:
    channel, gaps = _channel(), []
    async with bus.subscribe(channel, limit=2, on_gap=lambda: gaps.append(1)) as subscription:
        for number in range(4):
            await bus.publish(channel, str(number).encode())
        async with asyncio.timeout(2):
            while subscription.missed < 2:
                await asyncio.sleep(0.01)
            assert [(await anext(subscription)).data for _ in range(2)] == [b"2", b"3"]
    assert len(gaps) == 2


async def test_keys_live_for_a_while_and_tickets_are_used_once(bus: Bus) -> None:
    key = f"test:{uuid.uuid4()}"
    await bus.set(key, b"1", ttl=0.2)
    assert await bus.get(key) == b"1"
    await asyncio.sleep(0.3)
    assert await bus.get(key) is None
    await bus.set_many({key: b"a", key + "b": b"b"}, ttl=5)
    assert await bus.get_many(key, key + "b", key + "c") == [b"a", b"b", None]
    assert [await bus.set_if_absent(key, b"c", ttl=5), await bus.delete_if(key, b"other")] == [False, False]
    taken = await asyncio.gather(*(bus.take(key) for _ in range(5)))
    assert sorted(one is None for one in taken) == [False, True, True, True, True]
    assert await bus.delete(key + "b") == 1


async def test_valkey_away_is_a_clear_error_and_its_return_is_noticed(tmp_path: Path) -> None:
    parts = start_for_tests(tmp_path, wanted=("valkey",))
    url = str((await asyncio.to_thread(parts.__enter__)).valkey_url)
    bus = Bus(url, deadline=1)
    await bus.start()
    channel, gaps = _channel(), []
    try:
        async with bus.subscribe(channel, on_gap=lambda: gaps.append(1)) as subscription:
            await asyncio.to_thread(parts.__exit__, None, None, None)
            with pytest.raises(BusAway, match="Valkey"):
                await bus.publish(channel, b"lost")
            assert await bus.publish_quietly(channel, b"lost") is False
            started = asyncio.get_running_loop().time()
            late = _channel()
            await subscription.add(late)  # joins when Valkey is back; does not hang
            assert asyncio.get_running_loop().time() - started < 2
            parts = start_for_tests(tmp_path, wanted=("valkey",))
            assert str((await asyncio.to_thread(parts.__enter__)).valkey_url) == url
            async with asyncio.timeout(5):
                while not gaps:
                    await asyncio.sleep(0.02)
            await bus.publish(channel, b"back")
            await bus.publish(late, b"late")
            async with asyncio.timeout(2):
                assert [(await anext(subscription)).data for _ in range(2)] == [b"back", b"late"]
    finally:
        await bus.close()
        await asyncio.to_thread(parts.__exit__, None, None, None)


async def test_a_valkey_that_hangs_is_given_up_within_the_deadline() -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    bus = Bus(f"valkey://127.0.0.1:{port}/0", deadline=0.3)
    started = asyncio.get_running_loop().time()
    await bus.start()
    with pytest.raises(BusAway):
        await bus.get("key")
    assert asyncio.get_running_loop().time() - started < 1.5
    await bus.close()
    server.close()
