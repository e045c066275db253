"""A device's commands as they are read: pages, filters, who gave them, and what explains them."""

from typing import Any

from cloud.tests.commands.conftest import NEGOTIATES, Order, answering
from cloud.tests.conftest import Caller
from cloud.tests.tunnel.conftest import Registered, Running
from edgeflow_cloud import devices
from edgeflow_cloud.commands.findings import explain_commands
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Principal


async def test_long_results_are_whole_and_left_out_of_lists(
    client: Caller, hub: Running, device: Registered, order: Order
) -> None:
    noise = "".join(str(ids.new()) for _ in range(3_000))

    async def talk(_frame: dict[str, Any]) -> dict[str, Any]:
        return {"status": "success", "data": {"noise": noise}}

    async with hub.client(device, **NEGOTIATES) as socket, answering(socket, talk):
        command = (await order()).json()
        assert command["result"] == {"noise": noise}
        listed = (await client("owner").get(f"/devices/{device.wire_id}/commands")).json()["items"][0]
        assert (listed["result"], listed["truncated"]) == (None, True)


async def test_history_is_paged_newest_first(client: Caller, order: Order, device: Registered) -> None:
    made = [(await order(f"a{number}", ttl=60)).json()["id"] for number in range(5)]
    path = f"/devices/{device.wire_id}/commands"
    found: list[str] = []
    page = (await client("owner").get(path, params={"limit": 2, "status": "queued"})).json()
    while True:
        found += [item["id"] for item in page["items"]]
        if not page["next_cursor"]:
            break
        page = (await client("owner").get(path, params={"limit": 2, "cursor": page["next_cursor"]})).json()
    assert found == list(reversed(made))
    assert (await client("owner").get(path, params={"status": "done"})).json()["items"] == []


async def add_person(context: Context, owner: Principal) -> None:
    """The caller as a person whom the organization knows."""
    async with context.db.system_tx("test") as tx:
        await tx.execute(
            """
            with person as (
                insert into users (id, email, first_name, last_name, password_hash, password_changed_at,
                    created_at, updated_at)
                values ($1, 'ada@example.com', 'Ada', 'King', 'none', now(), now(), now())
            ), organization as (
                insert into organizations (tenant_id, name, slug, created_at, updated_at)
                values ($2, 'Ours', 'ours', now(), now())
            )
            insert into members (tenant_id, user_id, role, joined_at) values ($2, $1, 'owner', now())
            """,
            owner.id,
            owner.tenant_id,
        )


async def test_history_is_filtered_and_says_who(
    client: Caller, order: Order, device: Registered, context: Context, owner: Principal
) -> None:
    await add_person(context, owner)
    path, http = f"/devices/{device.wire_id}/commands", client("owner")
    first, second = [(await order(action, ttl=60)).json() for action in ("reboot", "echo")]
    listed = (await http.get(path, params={"action": "reboot"})).json()["items"]
    assert [item["id"] for item in listed] == [first["id"]]
    assert (listed[0]["created_by"], listed[0]["created_by_name"]) == (owner.wire_id, "Ada King")
    assert (await http.get(f"/commands/{first['id']}")).json()["created_by_name"] == "Ada King"
    for params, found in (
        ({"from": second["created_at"]}, [second["id"]]),
        ({"to": second["created_at"]}, [first["id"]]),
        ({"from": first["created_at"], "to": first["created_at"]}, []),
    ):
        listed = (await http.get(path, params=params)).json()["items"]
        assert [item["id"] for item in listed] == found
    for bad in ({"from": "yesterday"}, {"to": "2026-01-01T00:00:00"}, {"action": ""}, {"cursor": "x"}):
        assert (await http.get(path, params=bad)).status_code == 422


async def test_what_waits_is_explained(
    client: Caller, hub: Running, device: Registered, order: Order, context: Context, owner: Principal
) -> None:
    async def codes() -> list[str]:
        async with context.db.tenant_tx(owner) as tx:
            found = await devices.find_device(tx, owner, device.device_id)
            findings = await explain_commands(tx, owner, found, context.clock.now())
        return [finding.code for finding in findings]

    assert await codes() == ["commands_settled"]
    await order("later", ttl=60)
    assert await codes() == ["commands_wait_for_return"]
    async with hub.client(device, **NEGOTIATES) as socket:
        await socket.receive()
        assert await codes() == ["commands_under_way"]
        await order(timeout=1)
    assert await codes() == ["commands_under_way", "commands_unknown"]
