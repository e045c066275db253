"""Over a real tunnel: frames in, acknowledgements out."""

from cloud.tests.telemetry.conftest import NOW, stored
from cloud.tests.tunnel.conftest import Registered, running
from edgeflow_cloud import devices
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.telemetry.device import DEVICE_SIDE


async def test_batches_are_acknowledged_over_the_tunnel(
    context: Context, db: Database, owner: Principal
) -> None:
    async with db.tenant_tx(owner) as tx:
        device, key = await devices.create_device(tx, owner, name="press 4")
    registered = Registered(device.device_id, key)
    batch = {"type": "telemetry", "boot_id": "0a1b", "samples": [{"time": NOW.isoformat(), "cpu_percent": 7}]}
    async with (
        running(context, DEVICE_SIDE) as hub,
        hub.client(registered, capabilities=["telemetry", "other"], boot_id="0a1b") as client,
    ):
        assert client.hello["capabilities"] == ["telemetry"]
        for sequence in (1, 2, 2):
            await client.send(**batch, sequence=sequence)
            answer = await client.receive()
            assert (answer["type"], answer["frame"], answer["sequence"]) == ("ack", "telemetry", sequence)
            assert "error" not in answer
        await client.send(**(batch | {"samples": [{"time": "yesterday"}]}), sequence=3)
        refused = await client.receive()
        assert (refused["type"], refused["sequence"], bool(refused["error"])) == ("ack", 3, True)
        await client.send(**batch, sequence=4)
        assert (await client.receive())["sequence"] == 4
    assert await stored(db) == 3
