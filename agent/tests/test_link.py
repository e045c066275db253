"""Backoff within its bounds, and the sentences of REST calls that fail."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow_agent.link import Backoff, CallFailed, CloudRest, Pace

waits = st.sampled_from(["next", "after", "slow", "reset"])


@given(st.integers(), st.lists(waits, max_size=60), st.floats(0, 10_000))
def test_waits_stay_within_their_bounds(seed: int, calls: list[str], retry_after: float) -> None:
    pace = Pace()
    backoff = Backoff(pace, Random(seed))
    failures = 0
    for call in calls:
        match call:
            case "next":
                assert 0 <= backoff.next() <= min(60.0, 10.0 * 2**failures)
            case "after":
                least = min(retry_after, 3600.0)
                assert least <= backoff.next_after(retry_after) <= least + max(1.0, least / 4)
            case "slow":
                ceiling = min(300.0, 30.0 * 2**failures)
                assert ceiling / 2 <= backoff.next_slow() <= ceiling
            case _:
                backoff.reset()
        failures = 0 if call == "reset" else failures + 1
        assert backoff.failures == failures


def test_the_first_wait_of_a_herd_is_spread_evenly_over_ten_seconds() -> None:
    firsts = [Backoff(Pace(), Random(seed)).next() for seed in range(4000)]
    for low in range(10):
        share = sum(low <= wait < low + 1 for wait in firsts) / len(firsts)
        assert 0.07 < share < 0.13


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n", "not an EdgeFlow Cloud"),
        (b"", "cannot be reached"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", "not an EdgeFlow Cloud"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_200_000, "larger than 1 MiB"),
        (None, "did not answer within 0.3 s"),
    ],
)
async def test_a_call_without_an_answer_is_a_sentence(answer: bytes | None, part: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await asyncio.sleep(1)
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    rest = CloudRest(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", tls=False)
    with pytest.raises(CallFailed, match=part):
        await rest.call("GET", "/", timeout=0.3 if answer is None else 5.0)
    server.close()


async def test_chunked_answers_and_errors_are_read() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 429 Slow\r\nTransfer-Encoding: chunked\r\nRetry-After: 7\r\n\r\n")
        writer.write(b'c\r\n{"error":"E"\r\n1\r\n}\r\n0\r\n\r\n')
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    answer = await CloudRest(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", tls=False).call("GET", "/")
    assert (answer.status, answer.error, answer.retry_after) == (429, "E", 7.0)
    server.close()


async def test_tls_against_a_plain_server_says_what_to_set() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    with pytest.raises(CallFailed, match="EDGEFLOW_SAAS_TLS=false"):
        await CloudRest(f"localhost:{server.sockets[0].getsockname()[1]}", tls=True).call("GET", "/")
    server.close()
