"""The shadow over the tunnel: pushed at once, found on return, reported and acknowledged."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cloud.tests.conftest import Caller
from cloud.tests.tunnel.conftest import Client, Registered, Running, running
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.shadows import device as side

NEGOTIATES = {"capabilities": ["shadow"], "boot_id": "b1"}


async def silent(client: Client, seconds: float = 0.15) -> bool:
    """Whether nothing comes."""
    try:
        await asyncio.wait_for(client.socket.recv(), seconds)
    except TimeoutError:
        return True
    return False


async def put(client: Caller, device: Registered, **desired: Any) -> dict[str, Any]:
    answer = await client("owner").put(f"/devices/{device.wire_id}/shadow", json={"desired": desired})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_desired_is_pushed_at_once(client: Caller, hub: Running, device: Registered) -> None:
    async with hub.client(device, **NEGOTIATES) as socket:
        await put(client, device, log_level="debug")
        assert await socket.receive() == {
            "type": "shadow_desired",
            "version": 1,
            "desired": {"log_level": "debug"},
            "delta": {"log_level": "debug"},
        }
        await socket.send(type="shadow_reported", id="r1", reported={"log_level": "debug", "n": "x\0"})
        assert await socket.receive() == {"type": "shadow_accepted", "id": "r1", "version": 2}
        document = (await client("owner").get(f"/devices/{device.wire_id}/shadow")).json()
        assert document["reported"] == {"log_level": "debug", "n": "x"}
        assert document["delta"] == {}


async def test_a_delta_is_found_on_return_and_nothing_else_is(
    client: Caller, hub: Running, device: Registered
) -> None:
    await put(client, device, a=1)
    async with hub.client(device, **NEGOTIATES) as socket:
        assert (await socket.receive())["delta"] == {"a": 1}
        await socket.send(type="shadow_reported", id="r", reported={"a": 1})
        assert (await socket.receive())["type"] == "shadow_accepted"
    async with hub.client(device, **NEGOTIATES) as socket:
        assert await silent(socket)
    async with hub.client(device) as socket:
        assert await silent(socket)


async def test_a_field_client_gets_the_command_one_at_a_time_and_the_newest(
    client: Caller, hub: Running, device: Registered
) -> None:
    async with hub.client(device) as socket:
        await put(client, device, a=1)
        first = await socket.receive()
        assert (first["type"], first["action"]) == ("command", "update_desired")
        assert first["payload"] == {"desired": {"a": 1}}
        for number in range(2, 6):
            await put(client, device, a=number)
        assert await silent(socket)  # two answers at once can kill it
        await socket.send(type="response", id=first["id"], status="success", data={"delta": {"a": 1}})
        newest = await socket.receive()
        assert newest["payload"] == {"desired": {"a": 5}}
        assert newest["id"] != first["id"]
        await socket.send(type="response", id=newest["id"], status="success")
        assert await silent(socket)
    assert not side._pushing


async def test_another_process_pushes_too(
    client: Caller, context: Context, device: Registered, stack: dict[str, str]
) -> None:
    bus = Bus(stack["valkey"])
    await bus.start()
    async with (
        running(replace(context, bus=bus), side.DEVICE_SIDE) as hub,
        hub.client(device, **NEGOTIATES) as socket,
    ):
        await asyncio.sleep(0.1)  # the lease is on its way to Valkey
        await put(client, device, far=True)
        assert (await socket.receive())["desired"] == {"far": True}
    await bus.close()


async def test_a_report_that_is_refused_is_answered(hub: Running, device: Registered) -> None:
    async with hub.client(device, **NEGOTIATES) as socket:
        await socket.send(type="shadow_reported", id="big", reported={"a": "x" * 70_000})
        answer = await socket.receive()
        assert (answer["type"], answer["id"], answer["code"]) == ("error", "big", "document_too_large")
        assert "70008" in answer["error"]
        await socket.send(type="shadow_reported", id="bad", reported=[1])
        answer = await socket.receive()
        assert (answer["type"], answer["id"], answer["code"]) == ("error", "bad", "wrong_field")
        await socket.send(type="shadow_reported", id="good", reported={"a": 1})
        assert await socket.receive() == {"type": "shadow_accepted", "id": "good", "version": 1}


@pytest.mark.parametrize("fields", [{}, NEGOTIATES])
async def test_the_devices_own_commands(hub: Running, device: Registered, fields: dict[str, Any]) -> None:
    async with hub.client(device, **fields) as socket:
        await socket.send(
            type="command", id="c1", action="update_reported", payload={"reported": {"a": {"b": 1}}}
        )
        updated = await socket.receive()
        assert (updated["id"], updated["status"]) == ("c1", "success")
        assert updated["data"]["version"] == 1
        await socket.send(type="command", id="c2", action="get_shadow")
        read = await socket.receive()
        assert read["data"] == updated["data"]
        assert list(read["data"]["metadata"]["reported"]) == ["a.b"]
        await socket.send(type="command", id="c3", action="update_reported", payload={"reported": 1})
        assert (await socket.receive())["status"] == "error"


async def test_a_shadow_that_is_too_long_for_a_frame_comes_without_its_times(
    client: Caller, hub: Running, device: Registered
) -> None:
    many = {f"key{number:05d}": number for number in range(3_000)}
    await put(client, device, **many)
    async with hub.client(device, **NEGOTIATES) as socket:
        await socket.receive()
        await socket.send(type="command", id="r", action="update_reported", payload={"reported": many})
        answer = await socket.receive()
        assert answer["data"]["reported"] == many
        assert answer["data"]["metadata"] == {"desired": {}, "reported": {}}


async def explained(client: Caller, device: Registered) -> set[str]:
    said = (await client("owner").get(f"/devices/{device.wire_id}/explain")).json()
    return {item["code"] for item in said["findings"] if item["topic"] == "shadow"}


async def test_pins_are_not_wanted_of_a_field_client(
    client: Caller, hub: Running, device: Registered
) -> None:
    path = f"/devices/{device.wire_id}/shadow"
    pins = {"gpio_config": {"pin_17": "output"}}
    await put(client, device, **pins)  # it never connected: it may be either
    assert await explained(client, device) == {"shadow_waits"}
    async with hub.client(device):
        refused = await client("owner").put(path, json={"desired": {**pins, "a": 1}})
        assert (refused.status_code, refused.json()["code"]) == (409, "gpio_config_not_supported")
        assert "EdgeFlow agent" in refused.json()["detail"]
        assert (await client("owner").get(path)).json()["version"] == 1
        assert await explained(client, device) == {"gpio_config_not_supported"}
        await put(client, device, a=1)
        assert await explained(client, device) == {"gpio_config_not_supported", "shadow_not_in_sync"}
        await put(client, device, a=None, gpio_config=None)  # taken back, as it says
        assert await explained(client, device) == {"shadow_in_sync"}
        restored = await client("owner").post(f"{path}/restore", json={"version": 1})
        assert (restored.status_code, restored.json()["code"]) == (409, "gpio_config_not_supported")
    async with hub.client(device, **NEGOTIATES) as socket:  # updated meanwhile
        await put(client, device, **pins)
        assert (await socket.receive())["delta"] == pins
