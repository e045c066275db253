"""Commands from the order over HTTP to the device's frames and back, on the real database and bus."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from cloud.tests.commands.conftest import NEGOTIATES, Order, answering, ended, read
from cloud.tests.conftest import Caller
from cloud.tests.tunnel.conftest import Registered, Running, running, until
from edgeflow_cloud.commands import device as side
from edgeflow_cloud.commands import outcome, sending
from edgeflow_cloud.commands.jobs import sweep
from edgeflow_cloud.commands.model import QUEUE_LIMIT
from edgeflow_cloud.infra.bus import Bus
from edgeflow_cloud.infra.context import Context


@pytest.mark.parametrize("fields", [{}, NEGOTIATES])
async def test_a_command_comes_back_with_its_answer(
    client: Caller, hub: Running, device: Registered, order: Order, fields: dict[str, Any], context: Context
) -> None:
    async with hub.client(device, **fields) as socket, answering(socket) as seen:
        started = time.monotonic()
        answer = await order("echo", payload={"a": [1, {"b": None}]}, timeout=5)
        assert time.monotonic() - started < 1
        assert answer.status_code == 200, answer.text
        command = answer.json()
        assert command["status"] == "done"
        assert command["result"] == {"a": [1, {"b": None}]}
        assert command["sent_at"] and command["finished_at"]
        assert [(frame["id"], frame["action"]) for frame in seen] == [(command["id"], "echo")]
        assert await read(client, command) == command
        history = (await client("viewer").get(f"/devices/{device.wire_id}/commands")).json()
        assert history["items"] == [command]
    async with context.db.system_tx("test") as tx:
        audited = await tx.fetchrow("select * from audit_entries where action = 'command.create'")
        told = await tx.fetch("select name, changed from outbox where name like 'command.%' order by id")
    assert audited is not None
    assert audited["resource_id"] == command["id"]
    assert [row["name"] for row in told] == ["command.created", "command.finished"]
    assert told[1]["changed"] == [f"devices/{device.wire_id}/commands", f"commands/{command['id']}"]
    await until(lambda: not sending._desks)


async def test_a_refusal_by_the_device_is_failed(hub: Running, device: Registered, order: Order) -> None:
    async def refuse(_frame: dict[str, Any]) -> dict[str, Any]:
        return {"status": "error", "error": "not yet implemented", "data": {"code": 7}}

    async with hub.client(device) as socket, answering(socket, refuse):
        command = (await order("create_flow")).json()
        assert (command["status"], command["error"]) == ("failed", "not yet implemented")
        assert command["result"] == {"code": 7}


async def test_whoever_is_away_says_so_at_once_and_nothing_is_stored(
    client: Caller, hub: Running, device: Registered, order: Order
) -> None:
    started = time.monotonic()
    answer = await order()
    assert time.monotonic() - started < 1
    assert (answer.status_code, answer.json()["code"]) == (409, "device_offline")
    assert "ttl" in answer.json()["detail"]
    assert (await client("owner").get(f"/devices/{device.wire_id}/commands")).json()["items"] == []


@pytest.mark.parametrize("fields", [{}, NEGOTIATES])
async def test_what_has_a_ttl_waits_for_the_return_in_order(
    client: Caller, hub: Running, device: Registered, order: Order, fields: dict[str, Any]
) -> None:
    made = [await order("step", payload={"n": number}, ttl=60) for number in range(5)]
    assert [answer.status_code for answer in made] == [202] * 5
    assert {answer.json()["status"] for answer in made} == {"queued"}
    async with hub.client(device, **fields) as socket, answering(socket) as seen:
        for answer in made:
            await ended(client, answer.json(), "done")
    assert [frame["payload"]["n"] for frame in seen] == list(range(5))


async def test_a_field_client_gets_one_at_a_time_first_come_first_served(
    client: Caller, hub: Running, device: Registered, order: Order
) -> None:
    open_now = most = 0

    async def slowly(frame: dict[str, Any]) -> dict[str, Any]:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.03)
        open_now -= 1
        return {"status": "success"}

    async with hub.client(device) as socket, answering(socket, slowly) as seen:
        made = [(await order("step", payload={"n": number}, wait=0)).json() for number in range(6)]
        for command in made:
            await ended(client, command, "done")
    assert most == 1
    assert [frame.get("payload", {}).get("n") for frame in seen] == list(range(6))


async def test_one_that_negotiated_gets_eight_at_once(hub: Running, device: Registered, order: Order) -> None:
    gate = asyncio.Event()
    seen: list[dict[str, Any]] = []
    async with hub.client(device, **NEGOTIATES) as socket:

        async def serve() -> None:
            for _ in range(12):
                frame = await socket.receive()
                seen.append(frame)
                if len(seen) == 8:
                    await gate.wait()
                    for earlier in seen:
                        await socket.send(type="response", id=earlier["id"], status="success")
                elif len(seen) > 8:
                    await socket.send(type="response", id=frame["id"], status="success")

        server = asyncio.create_task(serve())
        tasks = [asyncio.create_task(order("step")) for _ in range(12)]
        await until(lambda: len(seen) == 8)
        await asyncio.sleep(0.1)
        gate.set()
        assert {(await task).json()["status"] for task in tasks} == {"done"}
        await server
    assert len({frame["id"] for frame in seen}) == 12


async def test_no_answer_in_time_is_unknown_and_a_late_one_changes_nothing(
    client: Caller, hub: Running, device: Registered, order: Order
) -> None:
    async with hub.client(device, **NEGOTIATES) as socket:
        command = (await order(timeout=1)).json()
        assert command["status"] == "unknown"
        assert "1 seconds" in command["error"]
        frame = await socket.receive()
        for said in ("success", "error", "success"):
            await socket.send(type="response", id=frame["id"], status=said, data="late")
        await socket.send(type="response", id="cmd_of_somebody_else", status="success")
        await socket.send(type="ping")
        assert (await socket.receive())["type"] == "pong"
        await asyncio.sleep(0.05)
        assert await read(client, command) == command


async def test_two_answers_to_one_command_are_one(
    client: Caller, hub: Running, device: Registered, order: Order
) -> None:
    async with hub.client(device, **NEGOTIATES) as socket:
        waiting = asyncio.create_task(order())
        frame = await socket.receive()
        await socket.send(type="response", id=frame["id"], status="success", data=1)
        await socket.send(type="response", id=frame["id"], status="error", error="no", data=2)
        command = (await waiting).json()
        await asyncio.sleep(0.05)
        assert (command["status"], command["result"]) == ("done", 1)
        assert await read(client, command) == command


async def test_a_field_client_that_is_lost_leaves_unknown_at_once(
    hub: Running, device: Registered, order: Order
) -> None:
    async with hub.client(device) as socket:
        waiting = asyncio.create_task(order())
        await socket.receive()
    started = time.monotonic()
    command = (await waiting).json()
    assert time.monotonic() - started < 2
    assert command["status"] == "unknown"
    assert "may have done it" in command["error"]
    async with hub.client(device) as socket, answering(socket) as seen:
        assert (await order()).json()["status"] == "done"
    assert len(seen) == 1


async def test_one_that_negotiated_is_sent_it_again_by_the_same_id(
    hub: Running, device: Registered, order: Order
) -> None:
    async with hub.client(device, **NEGOTIATES) as socket:
        waiting = asyncio.create_task(order("work", payload={"n": 1}))
        first = await socket.receive()
    async with hub.client(device, **NEGOTIATES) as socket, answering(socket) as seen:
        command = (await waiting).json()
    assert command["status"] == "done"
    assert [frame["id"] for frame in seen] == [first["id"]] == [command["id"]]


async def test_a_lost_one_that_does_not_return_is_unknown_after_its_time(
    client: Caller, hub: Running, device: Registered, order: Order, context: Context
) -> None:
    async with hub.client(device, **NEGOTIATES) as socket:
        waiting = asyncio.create_task(order(wait=0.5))
        await socket.receive()
    answer = await waiting
    assert (answer.status_code, answer.json()["status"]) == (202, "sent")
    async with context.db.system_tx("test") as tx:
        await tx.execute("update commands set due_at = now()")
    await sweep(context, {})
    await ended(client, answer.json(), "unknown")


async def test_the_queue_of_a_device_is_bounded(
    client: Caller, device: Registered, order: Order, context: Context
) -> None:
    first = (await order(ttl=60)).json()
    async with context.db.system_tx("test") as tx:
        await tx.execute(
            """
            insert into commands (tenant_id, id, device_id, action, status, timeout, keep, created_by,
                created_at, expires_at, due_at)
            select tenant_id, gen_random_uuid(), device_id, action, status, timeout, keep, created_by,
                created_at, expires_at, due_at
            from commands, generate_series(2, $1)
            """,
            QUEUE_LIMIT,
        )
    full = await order(ttl=60)
    assert (full.status_code, full.json()["code"]) == (429, "command_queue_full")
    assert int(full.headers["retry-after"]) > 0
    assert (await client("owner").delete(f"/commands/{first['id']}")).status_code == 200
    assert (await order(ttl=60)).status_code == 202


async def test_nobody_gets_past_the_limit_at_the_same_moment(
    client: Caller, device: Registered, order: Order, context: Context
) -> None:
    await order(ttl=60)
    async with context.db.system_tx("test") as tx:
        await tx.execute(
            """
            insert into commands (tenant_id, id, device_id, action, status, timeout, keep, created_by,
                created_at, expires_at, due_at)
            select tenant_id, gen_random_uuid(), device_id, action, status, timeout, keep, created_by,
                created_at, expires_at, due_at
            from commands, generate_series(2, $1)
            """,
            QUEUE_LIMIT - 4,
        )
    answers = await asyncio.gather(*(order(ttl=60, wait=0) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [202] * 4 + [429] * 8
    async with context.db.system_tx("test") as tx:
        assert await tx.fetchval("select count(*) from commands where status = 'queued'") == QUEUE_LIMIT


async def test_what_is_not_sent_in_time_expires(
    client: Caller, hub: Running, device: Registered, order: Order, context: Context
) -> None:
    command = (await order(ttl=1)).json()
    await sweep(context, {})
    assert (await read(client, command))["status"] == "queued"
    await asyncio.sleep(1.05)
    async with hub.client(device, **NEGOTIATES) as socket, answering(socket) as seen:
        await asyncio.sleep(0.1)
        assert seen == []  # too late is too late, swept or not
        await sweep(context, {})
        await ended(client, command, "expired")


async def test_one_idempotency_key_is_one_command(
    hub: Running, device: Registered, order: Order, client: Caller
) -> None:
    key = {"Idempotency-Key": "a-key"}

    async def slowly(_frame: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0.1)
        return {"status": "success", "data": "once"}

    async with hub.client(device, **NEGOTIATES) as socket, answering(socket, slowly) as seen:
        answers = await asyncio.gather(*(order("work", headers=key) for _ in range(5)))
        answers.append(await order("work", headers=key))
        assert {answer.json()["id"] for answer in answers} == {seen[0]["id"]}
        assert {answer.json()["result"] for answer in answers} == {"once"}
        other = await order("other", headers=key)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert len(seen) == 1


async def test_who_may(client: Caller, hub: Running, device: Registered, order: Order) -> None:
    path = f"/devices/{device.wire_id}/commands"
    command = (await order(ttl=60)).json()
    for caller, status in (("viewer", 403), ("stranger", 404), ("", 401)):
        assert (await client(caller).post(path, json={"action": "x"})).status_code == status
    assert (await client("stranger").get(path)).status_code == 404
    assert (await client("stranger").get(f"/commands/{command['id']}")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"action": "no spaces"},
        {"action": ""},
        {"payload": [1]},
        {"timeout": 0},
        {"timeout": 601},
        {"ttl": 0},
        {"later": 1},
        {"payload": {"a": "x" * 200_000}},
        {"payload": {"a": "\0"}},
    ],
)
async def test_what_cannot_be_a_command_is_refused(order: Order, body: dict[str, Any]) -> None:
    assert (await order(**{"ttl": 60, **body})).status_code == 422


async def test_the_callers_who_do_not_wait(
    client: Caller, hub: Running, device: Registered, order: Order
) -> None:
    async with hub.client(device, **NEGOTIATES) as socket, answering(socket):
        answer = await order(wait=0)
        assert (answer.status_code, answer.json()["status"]) == (202, "sent")
        await ended(client, answer.json(), "done")


async def test_set_gpio_is_not_sent_to_a_field_client(hub: Running, device: Registered, order: Order) -> None:
    async with hub.client(device) as socket, answering(socket) as seen:
        command = (await order("set_gpio", payload={"pin": 17})).json()
        assert command["status"] == "failed"
        assert "set_gpio" in command["error"]
        assert seen == []


async def test_an_answer_of_a_wrong_shape_is_an_answer(
    hub: Running, device: Registered, order: Order
) -> None:
    async def oddly(_frame: dict[str, Any]) -> dict[str, Any]:
        return {"status": 7}

    async with hub.client(device) as socket, answering(socket, oddly):
        command = (await order()).json()
        assert command["status"] == "failed"
        assert "Malformed" in command["error"]


async def test_hub_and_caller_in_different_processes(
    client: Caller, context: Context, device: Registered, order: Order, stack: dict[str, str]
) -> None:
    bus = Bus(stack["valkey"])
    await bus.start()
    async with (
        running(replace(context, bus=bus), side.DEVICE_SIDE) as hub,
        hub.client(device, **NEGOTIATES) as socket,
        answering(socket),
    ):
        await asyncio.sleep(0.1)  # the lease is on its way to Valkey
        started = time.monotonic()
        command = (await order(payload={"far": True})).json()
        assert (command["status"], command["result"]) == ("done", {"far": True})
        assert time.monotonic() - started < 0.9  # woken by the bus, not by looking
    await bus.close()


async def test_an_answer_that_the_bus_loses_is_read_from_the_row(
    hub: Running, device: Registered, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(_bus: Bus, _command: object) -> None:
        """Nobody hears of it."""

    monkeypatch.setattr(outcome, "tell", lose)
    async with hub.client(device, **NEGOTIATES) as socket, answering(socket):
        started = time.monotonic()
        command = (await order()).json()
        assert command["status"] == "done"
        assert time.monotonic() - started < 2


async def test_a_queue_that_a_hub_missed_is_found_by_the_sweep(
    client: Caller, hub: Running, device: Registered, order: Order, context: Context
) -> None:
    command = (await order(ttl=60)).json()
    async with context.db.system_tx("test") as tx:
        await tx.execute("update commands set created_at = now() - interval '10 s', expires_at = now()")
    async with hub.client(device, **NEGOTIATES) as socket, answering(socket):
        async with context.db.system_tx("test") as tx:
            await tx.execute("update commands set expires_at = now() + interval '60 s', due_at = null")
        await sweep(context, {})
        await ended(client, command, "done")
