"""An unmodified field client (its exact twin) against the product: provisions, connects, syncs, answers,
and survives a restart of the cloud.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from typing import Any

import httpx2 as httpx
import pytest

from tests.emulator.field_client import NETWORK, FieldClient, ProvisioningFailed
from tests.system.product import Cloud

SCALE = 0.02
"""5 s between two attempts become 100 ms, and 25 s become 500 ms."""


@pytest.fixture
async def make_client(cloud: Cloud) -> AsyncIterator[Callable[..., FieldClient]]:
    """Field clients with a MAC address of their own, ended with the test."""
    made: list[FieldClient] = []

    def make(
        of: Cloud = cloud,
        *,
        network: dict[str, str] | None = None,
        scale: float = SCALE,
        code: str = "",
        device_id: str = "",
        api_key: str = "",
    ) -> FieldClient:
        own = network or {**NETWORK, "mac_address": f"dc:a6:32:00:{id(make) % 251:02x}:{len(made):02x}"}
        client = FieldClient(
            f"127.0.0.1:{of.port}", code=code, device_id=device_id, api_key=api_key, scale=scale, network=own
        )
        made.append(client)
        return client

    yield make
    for client in made:
        await client.stop()


@pytest.fixture
def owner(cloud: Cloud) -> Iterator[httpx.Client]:
    """The owner of the shared cloud."""
    with closing(cloud.owner()) as client:
        yield client


def ask(owner: httpx.Client, device_id: str, action: str, payload: dict[str, object] | None = None) -> Any:
    """Run a command as the owner; the stored command."""
    body = {"action": action, "payload": payload or {}}
    answer = owner.post(f"/devices/{device_id}/commands", params={"wait": 30}, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def status_of(owner: httpx.Client, device_id: str) -> str:
    return owner.get(f"/devices/{device_id}/status").json()["status"]


async def test_it_provisions_connects_syncs_and_answers(
    cloud: Cloud, owner: httpx.Client, make_client: Callable[..., FieldClient]
) -> None:
    client = make_client(code=await asyncio.to_thread(cloud.code))
    assert await client.start(), client.log
    assert client.log == []
    assert client.shadow["reported"]["agent_version"] == "1.0.0"
    device_id = client.device_id
    assert await asyncio.to_thread(status_of, owner, device_id) == "online"
    device = (await asyncio.to_thread(owner.get, f"/devices/{device_id}")).json()
    assert device["hardware"]["board_model"] == "Raspberry Pi 4 Model B Rev 1.4"  # its NUL is gone

    health = await asyncio.to_thread(ask, owner, device_id, "health_check")
    assert (health["status"], health["result"]["uptime"]) == ("done", "TODO")
    flows = await asyncio.to_thread(ask, owner, device_id, "list_flows")
    assert {flow["status"] for flow in flows["result"]["flows"]} == {"idle"}
    refused = await asyncio.to_thread(ask, owner, device_id, "get_flow", {"flow_id": "flow-default-1"})
    assert (refused["status"], "GetFlow" in refused["error"]) == ("failed", True)
    metrics = await asyncio.to_thread(ask, owner, device_id, "get_system_metrics")
    assert metrics["result"]["board_model"] == "Raspberry Pi 4 Model B Rev 1.4"
    shadow = await asyncio.to_thread(ask, owner, device_id, "get_shadow")
    assert shadow["result"]["device_id"] == device_id

    # Several at once: the cloud sends them one after the other, or the client dies.
    many = [asyncio.to_thread(ask, owner, device_id, "get_executions") for _ in range(6)]
    assert {answer["status"] for answer in await asyncio.gather(*many)} == {"done"}
    assert (await client.send_command("get_shadow")).data["device_id"] == device_id
    assert (await client.send_command("make_coffee")).status == "error"
    assert (client.violations, client.dropped, client.crashed) == ([], [], False)


async def test_a_desired_change_reaches_it_as_a_command(
    cloud: Cloud, owner: httpx.Client, make_client: Callable[..., FieldClient]
) -> None:
    client = make_client(code=await asyncio.to_thread(cloud.code))
    assert await client.start(), client.log
    pins = {"desired": {"gpio_config": {"pin_17": "output"}}}
    refused = await asyncio.to_thread(owner.put, f"/devices/{client.device_id}/shadow", json=pins)
    assert (refused.status_code, refused.json()["code"]) == (409, "gpio_config_not_supported")
    wanted = {"desired": {"display": {"line_1": "Hall 7"}, "a.b": {"c": 1}}}
    answer = await asyncio.to_thread(owner.put, f"/devices/{client.device_id}/shadow", json=wanted)
    assert answer.status_code == 200, answer.text
    async with asyncio.timeout(10):
        for _ in itertools.count():
            if client.shadow.get("delta") == wanted["desired"]:
                break
            await asyncio.sleep(0.02)
    assert [message.action for message in client.received if message.type == "command"] == ["update_desired"]
    assert (client.violations, client.dropped) == ([], [])


async def test_after_its_own_restart_it_shows_the_same_code_again(
    cloud: Cloud, make_client: Callable[..., FieldClient]
) -> None:
    code = await asyncio.to_thread(cloud.code)
    first = make_client(code=code)
    assert await first.start()
    await first.kill()
    again = make_client(code=code, network=first.network)
    assert await again.start(), again.log
    assert again.device_id == first.device_id
    assert again.api_key != first.api_key
    other = make_client(code=code, network={**NETWORK, "mac_address": "00:11:22:33:44:55"})
    with pytest.raises(ProvisioningFailed):
        await other.start()
    old = make_client(device_id=first.device_id, api_key=first.api_key)
    assert not await old.start()
    assert old.closes == [4401]
    assert "wrong key" in old.log[0]


@pytest.mark.parametrize("abruptly", [False, True], ids=["restart", "kill -9"])
async def test_it_survives_a_restart_of_the_cloud(
    new_cloud: Callable[..., Cloud], make_client: Callable[..., FieldClient], abruptly: bool
) -> None:
    cloud = new_cloud()
    await asyncio.to_thread(cloud.up)
    client = make_client(cloud, code=await asyncio.to_thread(cloud.code), scale=0.6)
    assert await client.start(), client.log
    if abruptly:
        await asyncio.to_thread(cloud.kill_everything)
    else:
        assert cloud.program is not None
        assert await asyncio.to_thread(cloud.program.end) == 0
        assert client.closes[-1:] == [1012]
    assert not client.given_up
    await asyncio.to_thread(cloud.up)
    # 5, 10, 15, 20, 25 s, here at 0.6 of that: a cloud that is back within 75 s has all its devices again.
    await asyncio.wait_for(client.connected.wait(), 50)
    with closing(cloud.owner()) as person:
        answered = await asyncio.to_thread(ask, person, client.device_id, "health_check")
        assert answered["status"] == "done"
        assert await asyncio.to_thread(status_of, person, client.device_id) == "online"
    assert (client.violations, client.crashed, client.given_up) == ([], False, False)
