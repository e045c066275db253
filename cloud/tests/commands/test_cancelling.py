"""Commands that somebody wants back: those that wait, and those that are on their way."""

import asyncio

from cloud.tests.commands.conftest import NEGOTIATES, Order, answering
from cloud.tests.conftest import Caller
from cloud.tests.tunnel.conftest import Registered, Running
from edgeflow_cloud.commands import service
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import CommandId
from edgeflow_cloud.kernel.principal import Principal


async def test_cancel_takes_back_what_was_not_sent(
    client: Caller, hub: Running, device: Registered, order: Order
) -> None:
    waiting = (await order("later", ttl=60)).json()
    assert (await client("viewer").delete(f"/commands/{waiting['id']}")).status_code == 403
    assert (await client("stranger").delete(f"/commands/{waiting['id']}")).status_code == 404
    cancelled = await client("owner").delete(f"/commands/{waiting['id']}")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    again = await client("owner").delete(f"/commands/{waiting['id']}")
    assert (again.status_code, again.json()["code"]) == (409, "command_not_queued")
    async with hub.client(device, **NEGOTIATES) as socket, answering(socket) as seen:
        done = (await order("now")).json()
        assert (await client("owner").delete(f"/commands/{done['id']}")).status_code == 409
    assert [frame["action"] for frame in seen] == ["now"]


async def test_what_is_on_its_way_cannot_be_recalled_and_its_answer_counts(
    client: Caller, hub: Running, device: Registered, order: Order, context: Context
) -> None:
    async with hub.client(device, **NEGOTIATES) as socket:
        waiting = asyncio.create_task(order("work"))
        frame = await socket.receive()
        wanted_back = await client("owner").delete(f"/commands/{frame['id']}")
        assert (wanted_back.status_code, wanted_back.json()["status"]) == (202, "sent")
        first = wanted_back.json()["cancel_requested_at"]
        assert first
        again = await client("owner").delete(f"/commands/{frame['id']}")
        assert (again.status_code, again.json()["cancel_requested_at"]) == (202, first)
        await socket.send(type="response", id=frame["id"], status="success", data="done all the same")
        command = (await waiting).json()
        assert (command["status"], command["result"]) == ("done", "done all the same")
        assert command["cancel_requested_at"] == first
        assert (await client("owner").delete(f"/commands/{frame['id']}")).status_code == 409


async def test_what_was_wanted_back_is_not_sent_again(
    client: Caller, hub: Running, device: Registered, order: Order
) -> None:
    async with hub.client(device, **NEGOTIATES) as socket:
        waiting = asyncio.create_task(order("work"))
        frame = await socket.receive()
        assert (await client("owner").delete(f"/commands/{frame['id']}")).status_code == 202
    async with hub.client(device, **NEGOTIATES) as socket, answering(socket) as seen:
        command = (await waiting).json()
        assert command["status"] == "unknown"
        assert "wanted back" in command["error"]
        assert (await order("next")).json()["status"] == "done"
    assert [one["action"] for one in seen] == ["next"]


async def test_what_found_no_place_in_the_lane_and_is_wanted_back_is_cancelled(
    client: Caller, hub: Running, device: Registered, order: Order, context: Context, owner: Principal
) -> None:
    made = (await order("later", ttl=60)).json()
    command_id = CommandId(ids.decode(ids.COMMAND, made["id"]))
    now = context.clock.now()
    async with context.db.tenant_tx(owner) as tx:
        command = await service.claim_next(tx, owner.tenant_id, device.device_id, epoch=7, now=now)
    assert command is not None
    assert (await client("owner").delete(f"/commands/{made['id']}")).status_code == 202
    async with context.db.tenant_tx(owner) as tx:
        given_back = await service.queue_again(tx, command, now)
        assert (await service.find_command(tx, owner, command_id)).status == "cancelled"
    assert given_back is not None
    assert given_back.is_final
    assert "nothing was done" in str(given_back.error)
