"""The lane: order, how many at once, and what is said when the device goes or is silent."""

from __future__ import annotations

import asyncio

import pytest

from edgeflow_cloud.tunnel import DeviceAway, Lane, NoAnswer
from edgeflow_cloud.tunnel import lane as lane_module
from edgeflow_protocol import frames


def command(number: int) -> frames.Command:
    return frames.Command(id=f"cmd_{number}", action="health_check")


def answer(number: int) -> frames.Response:
    return frames.Response(id=f"cmd_{number}", status="success")


class Wire:
    def __init__(self, *, takes: bool = True) -> None:
        self.sent: list[str] = []
        self.takes = takes

    def send(self, sent: frames.Command) -> bool:
        self.sent.append(sent.id)
        return self.takes


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_at_a_time_in_order() -> None:
    wire = Wire()
    lane = Lane(1, wire.send)
    asked = [asyncio.create_task(lane.request(command(number), 5)) for number in range(3)]
    for number in range(3):
        await settle()
        assert wire.sent == [f"cmd_{n}" for n in range(number + 1)]
        assert lane.room == 0
        assert lane.answer(answer(number))
    assert [response.id for response in await asyncio.gather(*asked)] == ["cmd_0", "cmd_1", "cmd_2"]
    assert lane.room == 1


async def test_eight_at_a_time() -> None:
    wire = Wire()
    lane = Lane(8, wire.send)
    asked = [asyncio.create_task(lane.request(command(number), 5)) for number in range(10)]
    await settle()
    assert len(wire.sent) == 8
    lane.answer(answer(5))  # in any order
    await settle()
    assert wire.sent[-1] == "cmd_8"
    lane.close()
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [one.sent for one in outcomes if isinstance(one, DeviceAway)] == [True] * 8 + [False]


async def test_silence_keeps_the_lane_of_a_base_client_closed_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lane_module, "LATE_ANSWER_SECONDS", 0.1)
    wire = Wire()
    lane = Lane(1, wire.send)
    with pytest.raises(NoAnswer):
        await lane.request(command(0), 0.01)
    assert lane.room == 0
    assert not lane.answer(answer(0)), "nobody waits for it any more"
    second = asyncio.create_task(lane.request(command(1), 5))
    await asyncio.sleep(0.02)
    assert wire.sent == ["cmd_0"]
    await asyncio.sleep(0.15)
    assert wire.sent == ["cmd_0", "cmd_1"]
    lane.answer(answer(1))
    await second


async def test_what_is_sent_is_taken_when_the_turn_has_come() -> None:
    wire = Wire()
    lane = Lane(1, wire.send)
    first = asyncio.create_task(lane.request(command(0), 5))
    await settle()
    wanted = [command(1)]

    async def later() -> str:
        async with lane.turn() as turn:
            if not wanted:
                return "cancelled meanwhile"
            return (await turn.request(wanted.pop(), 5)).id

    waiting = asyncio.create_task(later())
    await settle()
    wanted.clear()
    lane.answer(answer(0))
    await first
    assert await waiting == "cancelled meanwhile"
    assert lane.room == 1


async def test_a_cancelled_wait_gives_its_place_on() -> None:
    wire = Wire()
    lane = Lane(1, wire.send)
    tasks = [asyncio.create_task(lane.request(command(number), 5)) for number in range(3)]
    await settle()
    tasks[1].cancel()
    await settle()
    tasks[0].cancel()
    await settle()
    assert wire.sent == ["cmd_0", "cmd_2"]
    lane.answer(answer(2))
    assert (await tasks[2]).id == "cmd_2"
    assert lane.room == 1


async def test_a_connection_that_takes_nothing() -> None:
    lane = Lane(1, Wire(takes=False).send)
    with pytest.raises(DeviceAway) as caught:
        await lane.request(command(0), 5)
    assert not caught.value.sent
    lane.close()
    with pytest.raises(DeviceAway):
        await lane.request(command(1), 5)
