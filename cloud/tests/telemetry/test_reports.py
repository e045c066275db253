"""Executions, events and lines: stored once, read by page, watched live; another organization sees none."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from cloud.tests.conftest import Caller
from cloud.tests.telemetry.conftest import NOW, Peer
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.telemetry import stream_channel
from edgeflow_protocol import frames
from edgeflow_protocol.reports import DeviceEvent, Event, ExecutionEvent, LogLine, NodeRun


def execution(key: str, status: str = "succeeded", ago: float = 10, **more: object) -> ExecutionEvent:
    started = NOW - timedelta(seconds=ago)
    node = NodeRun("n1", "succeeded", started, 2.5, 1, 1, "inject", "start")
    values: dict[str, object] = {"flow_name": "press", "nodes": [node]} | more
    return ExecutionEvent(key, "flow_1", status, started, **values)  # type: ignore[arg-type]


def event(code: str, level: str = "info", ago: float = 5) -> DeviceEvent:
    return DeviceEvent(NOW - timedelta(seconds=ago), code, level, f"{code}!", data={"n": 1})  # type: ignore[arg-type]


def events(sequence: int, *told: Event) -> frames.Events:
    return frames.Events("b00t", sequence, list(told))


def lines(sequence: int, *messages: str, level: str = "info", source: str = "link") -> frames.Logs:
    made = [
        LogLine(NOW - timedelta(seconds=100 - sequence * 10 - index), level, text, source)  # type: ignore[arg-type]
        for index, text in enumerate(messages)
    ]
    return frames.Logs("b00t", sequence, made)


def path(peer: Peer) -> str:
    return f"/devices/{ids.encode(ids.DEVICE, peer.device_id)}"


async def test_an_execution_is_one_row_from_its_start_to_its_end(client: Caller, peer: Peer) -> None:
    ack = await peer.send(events(1, execution("e1", "running", nodes=[]), execution("e2", "failed", 20)))
    assert ack is not None
    assert (ack.frame, ack.sequence, ack.error) == ("events", 1, "")
    await peer.send(events(2, execution("e1", "failed", finished_at=NOW, error="no answer")))
    await peer.send(events(3, execution("e1", "running"), execution("e1", "succeeded")))  # late: it has ended
    owner = client("owner")
    body = (await owner.get(f"{path(peer)}/executions")).json()
    assert [(one["execution_id"], one["status"]) for one in body["items"]] == [
        ("e1", "failed"),
        ("e2", "failed"),
    ]
    assert "nodes" not in body["items"][0]
    one = (await owner.get(f"{path(peer)}/executions/e1")).json()
    assert (one["error"], one["nodes"][0]["node_id"], one["nodes"][0]["duration_ms"]) == (
        "no answer",
        "n1",
        2.5,
    )
    missing = await owner.get(f"{path(peer)}/executions/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "execution_not_found")
    none = (await owner.get(f"{path(peer)}/executions", params={"status": "running"})).json()
    assert none["items"] == []
    late = {"from": (NOW - timedelta(seconds=15)).isoformat()}
    assert len((await owner.get(f"{path(peer)}/executions", params=late)).json()["items"]) == 1


async def test_streams_number_their_batches_each_for_itself(db: Database, peer: Peer) -> None:
    for _ in range(2):  # the second time it is there already
        assert await peer.send(events(1, event("started"))) is not None
        assert await peer.send(lines(1, "hello")) is not None
    async with db.system_tx("test") as tx:
        assert await tx.fetchval("select count(*) from device_events") == 1
        assert await tx.fetchval("select count(*) from device_logs") == 1
        assert await tx.fetchval("select count(*) from telemetry_cursors") == 2


async def test_lists_are_paged_and_filtered(client: Caller, peer: Peer) -> None:
    owner = client("owner")
    await peer.send(lines(1, *(f"line {number}" for number in range(5))))
    await peer.send(lines(2, "The PUMP is dry", level="error", source="flow"))
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        body = (await owner.get(f"{path(peer)}/logs", params=params)).json()
        seen += [line["message"] for line in body["items"]]
        cursor = body["next_cursor"]
    assert seen == ["The PUMP is dry", *(f"line {number}" for number in reversed(range(5)))]
    for params in ({"search": "pump"}, {"level": "warning"}, {"source": "flow"}):
        found = (await owner.get(f"{path(peer)}/logs", params=params)).json()["items"]
        assert [line["message"] for line in found] == ["The PUMP is dry"], params
    await peer.send(events(1, event("began"), event("broke", "error", 1)))
    assert [one["code"] for one in (await owner.get(f"{path(peer)}/events")).json()["items"]] == [
        "broke",
        "began",
    ]
    worse = (await owner.get(f"{path(peer)}/events", params={"level": "warning"})).json()["items"]
    assert [(one["code"], one["source"], one["data"]) for one in worse] == [("broke", "device", {"n": 1})]


@pytest.mark.parametrize("list_name", ["executions", "events", "logs"])
async def test_strangers_and_forged_cursors_get_nothing(client: Caller, peer: Peer, list_name: str) -> None:
    await peer.send(events(1, execution("e1"), event("began")))
    await peer.send(lines(1, "hello"))
    assert (await client("stranger").get(f"{path(peer)}/{list_name}")).status_code == 404
    assert (await client("").get(f"{path(peer)}/{list_name}")).status_code == 401
    assert (await client("viewer").get(f"{path(peer)}/{list_name}")).status_code == 200
    for parts in ("WyJ4IiwieSJd", "WyJ4Il0"):  # ["x","y"], ["x"]
        forged = await client("owner").get(f"{path(peer)}/{list_name}", params={"cursor": parts})
        assert forged.json()["code"] == "bad_cursor", forged.text


async def test_rows_are_the_tenants_own(
    db: Database, peer: Peer, owner: Principal, stranger: Principal
) -> None:
    await peer.send(events(1, execution("e1"), event("began")))
    await peer.send(lines(1, "hello"))
    for principal, count in ((owner, 1), (stranger, 0)):
        async with db.tenant_tx(principal) as tx:
            for table in ("own_device_events", "own_device_logs", "executions"):
                assert await tx.fetchval(f"select count(*) from {table}") == count, table


async def test_an_unbelievable_clock_is_placed_and_the_too_old_let_go(db: Database, peer: Peer) -> None:
    ahead = event("ahead", ago=-10 * 86_400)
    old = event("old", ago=40 * 86_400)
    unset = DeviceEvent(NOW.replace(year=1970), "unset", "info")
    ack = await peer.send(events(1, ahead, old, unset))
    assert ack is not None
    assert ack.error == ""
    async with db.system_tx("test") as tx:
        rows = await tx.fetch("select code, time, received_at from device_events order by code")
    assert [row["code"] for row in rows] == ["ahead", "unset"]
    assert all(row["time"] == row["received_at"] for row in rows)


async def test_who_looks_is_told_at_once(context: Context, owner: Principal, peer: Peer) -> None:
    logs = stream_channel("logs", owner.tenant_id, peer.device_id)
    executions = stream_channel("executions", owner.tenant_id, peer.device_id)
    async with context.bus.subscribe(logs) as of_logs, context.bus.subscribe(executions) as of_executions:
        await peer.send(lines(1, "hello"))
        async with asyncio.timeout(3):
            told = msgspec.json.decode((await anext(of_logs)).data)
        assert (told["message"], told["device_id"]) == ("hello", ids.encode(ids.DEVICE, peer.device_id))
        await peer.send(events(1, event("began"), execution("e9")))
        async with asyncio.timeout(3):
            told = msgspec.json.decode((await anext(of_executions)).data)
        assert (told["execution_id"], told["kind"]) == ("e9", "execution")
