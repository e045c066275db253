"""The published shortcuts, from the call to the device and back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cloud.tests.commands.conftest import NEGOTIATES, answering
from cloud.tests.conftest import Caller
from cloud.tests.tunnel.conftest import Registered, Running, running
from edgeflow_cloud import devices
from edgeflow_cloud.commands.device import DEVICE_SIDE
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.principal import Principal
from tests.emulator import field_answers
from tests.emulator.field_answers import Refused


@pytest.fixture
async def hub(context: Context) -> AsyncIterator[Running]:
    async with running(context, DEVICE_SIDE) as hub:
        yield hub


@pytest.fixture
async def device(context: Context, owner: Principal) -> Registered:
    async with context.db.tenant_tx(owner) as tx:
        made, key = await devices.create_device(tx, owner, name="a device")
    return Registered(made.device_id, key)


class Field:
    """Answers as the field client does."""

    running: set[str]

    def __init__(self) -> None:
        self.running = set()

    async def __call__(self, frame: dict[str, Any]) -> dict[str, Any]:
        try:
            data = await field_answers.answer(self, frame["action"], frame.get("payload", {}))  # type: ignore[arg-type]
        except Refused as refusal:
            return {"status": "error", "error": str(refusal)}
        return {"status": "success", "data": data}


async def get(client: Caller, device: Registered, path: str, caller: str = "viewer") -> Any:
    return await client(caller).get(f"/edge-nodes/{device.wire_id}/{path}")


async def post(client: Caller, device: Registered, path: str, caller: str = "owner") -> Any:
    return await client(caller).post(f"/edge-nodes/{device.wire_id}/{path}")


async def test_a_field_clients_answers_are_made_readable(
    client: Caller, hub: Running, device: Registered
) -> None:
    async with hub.client(device) as socket, answering(socket, Field()):
        health = (await get(client, device, "health")).json()
        assert (health["status"], health["uptime_seconds"], health["version"]) == ("healthy", None, "1.0.0")
        assert health["device_id"] == device.wire_id
        command = (await client("viewer").get(f"/commands/{health['command_id']}")).json()
        assert command["result"]["uptime"] == "TODO"  # what came back is kept as it came
        (flow,) = (await get(client, device, "flows")).json()["flows"]
        assert (flow["id"], flow["status"], flow["node_count"]) == ("flow-default-1", "unknown", 1)
        whole = await get(
            client, device, "flows/flow-default-1"
        )  # which it always refuses: looked up in its list
        assert whole.status_code == 200, whole.text
        assert whole.json()["connections"] == [{"source": "node-1", "target": "x", "output": 0}]
        lost = await get(client, device, "flows/none")
        assert (lost.status_code, lost.json()["code"]) == (404, "flow_not_on_device")
        assert (await get(client, device, "metrics")).json()["temperature"] == 48.3
        assert (await get(client, device, "executions")).json()["executions"] == []
        gpio = (await get(client, device, "gpio")).json()
        assert (gpio["available"], gpio["pins"]) == (False, [])
        assert "not available" in gpio["message"]
        types = await get(client, device, "node-types")
        assert (types.status_code, types.json()["code"]) == (501, "not_supported_by_device")


async def test_flows_are_switched(client: Caller, hub: Running, device: Registered) -> None:
    async with hub.client(device) as socket, answering(socket, Field()):
        started = await post(client, device, "flows/flow-default-1/start")
        assert started.status_code == 200, started.text
        said = started.json()
        assert (said["flow_id"], said["status"], said["execution_id"]) == ("flow-default-1", "running", None)
        again = await post(client, device, "flows/flow-default-1/start")
        assert (again.status_code, again.json()["code"]) == (409, "flow_already_running")
        stopped = (await post(client, device, "flows/flow-default-1/stop")).json()
        assert stopped["status"] == "stopped"
        lost = await post(client, device, "flows/none/start")
        assert (lost.status_code, lost.json()["code"]) == (404, "flow_not_on_device")
        assert (await post(client, device, "flows/flow-default-1/stop", "viewer")).status_code == 403


async def test_who_is_away_silent_or_talks_nonsense(client: Caller, hub: Running, device: Registered) -> None:
    away = await get(client, device, "health")
    assert (away.status_code, away.json()["code"]) == (409, "device_offline")

    async def nonsense(frame: dict[str, Any]) -> dict[str, Any] | None:
        return None if frame["action"] == "get_gpio_state" else {"status": "success", "data": [1]}

    async with hub.client(device, **NEGOTIATES) as socket, answering(socket, nonsense):
        for path in ("health", "flows", "node-types", "metrics", "executions", "flows/x"):
            odd = await get(client, device, path)
            assert (odd.status_code, odd.json()["code"]) == (502, "answer_unusable"), odd.text
            command = (await client("viewer").get(f"/commands/{odd.json()['command_id']}")).json()
            assert command["result"] == [1]
        silent = await get(client, device, "gpio?wait=1")
        assert (silent.status_code, silent.json()["code"]) == (504, "device_not_answering")
        assert silent.json()["command_id"] in silent.json()["detail"]


async def test_strangers_and_nobody(client: Caller, device: Registered) -> None:
    for path in ("health", "node-types", "editor-url", "flows", "flows/x", "metrics", "executions", "gpio"):
        assert (await get(client, device, path, "stranger")).status_code == 404
        assert (await get(client, device, path, "")).status_code == 401


async def test_the_editor_is_said_not_to_be_there_yet(
    client: Caller, device: Registered, context: Context
) -> None:
    async with context.db.system_tx("test") as tx:
        await tx.execute('update devices set network = \'{"ip_address": "192.168.1.17"}\'')
    answer = await get(client, device, "editor-url")
    assert (answer.status_code, answer.json()["code"]) == (501, "editor_stream_not_available")
    assert "http://192.168.1.17:8080" in answer.json()["detail"]


async def test_two_who_ask_at_once_both_get_an_answer(
    client: Caller, hub: Running, device: Registered
) -> None:
    async with hub.client(device) as socket, answering(socket, Field()):
        answers = await asyncio.gather(*(get(client, device, "health") for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
