"""Reading the log: filters, pages, exports, verification over HTTP, refusals."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cloud.tests.audit.conftest import seal_all, write
from cloud.tests.conftest import Caller
from edgeflow_cloud import audit
from edgeflow_cloud.audit import export, verification
from edgeflow_cloud.audit.checkpoints import make_checkpoint
from edgeflow_cloud.audit.export import plain
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Kind, Principal


async def test_an_entry_has_the_published_shape(client: Caller, context: Context, owner: Principal) -> None:
    made = (await client("owner").post("/devices", json={"name": "pump"})).json()
    await seal_all(context)
    entry = (await client("owner").get("/audit", params={"action": "device.*"})).json()["items"][0]
    assert entry.pop("id").startswith("audit_")
    assert datetime.fromisoformat(entry.pop("timestamp")) > datetime.now(UTC) - timedelta(minutes=1)
    assert entry.pop("new_values")["name"] == "pump"
    assert entry == {
        "organization_id": ids.encode(ids.ORGANIZATION, owner.tenant_id),
        "user_id": owner.wire_id,
        "actor": {"kind": "user", "id": owner.wire_id},
        "action": "device.create",
        "resource_type": "device",
        "resource_id": made["device_id"],
        "status": "success",
        "old_values": None,
        "ip_address": "127.0.0.1",
        "user_agent": None,
        "sequence": 1,
    }


async def test_a_list_is_narrowed_by_each_filter(client: Caller, db: Database, owner: Principal) -> None:
    program = replace(owner, kind=Kind.API_KEY, id=ids.new())
    await write(db, owner, 2)
    await write(db, owner, 1, action="device.delete")
    await write(db, program, 1, action="flow.create")
    now = datetime.now(UTC)

    async def actions(**params: str) -> list[str]:
        answer = await client("owner").get("/audit", params=params)
        assert answer.status_code == 200, answer.text
        return [item["action"] for item in answer.json()["items"]]

    everything = ["flow.create", "device.delete", "device.update", "device.update"]
    assert await actions() == everything
    assert await actions(user_id=owner.wire_id) == everything[1:]
    assert await actions(actor_id=program.wire_id) == ["flow.create"]
    assert await actions(action="device.update") == ["device.update"] * 2
    assert await actions(action="device.*") == everything[1:]
    assert await actions(resource_type="device", resource_id="dev_1") == ["device.update"]
    assert await actions(resource_id="dev_0", action="flow.create") == ["flow.create"]
    assert await actions(status="failure") == []
    assert await actions(**{"from": (now - timedelta(minutes=1)).isoformat()}) == everything
    assert await actions(**{"from": now.isoformat()}) == []
    assert await actions(to=(now - timedelta(minutes=1)).isoformat()) == []
    assert (await client("stranger").get("/audit")).json()["items"] == []
    assert (await client("viewer").get("/audit")).status_code == 403
    for bad in ({"from": "0001-01-01T00:00:00+14:00"}, {"action": "a;b"}, {"user_id": "dev_1"}, {"to": "x"}):
        assert (await client("owner").get("/audit", params=bad)).status_code == 422, bad


async def test_pages_meet_without_gap_or_overlap(client: Caller, db: Database, owner: Principal) -> None:
    await write(db, owner, 7)
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(4):
        params = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await client("owner").get("/audit", params=params)).json()
        seen += [item["resource_id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [f"dev_{number}" for number in range(6, -1, -1)]
    assert cursor is None
    skipped = await client("owner").get("/audit", params={"offset": 6})
    assert [item["resource_id"] for item in skipped.json()["items"]] == ["dev_0"]
    bad = await client("owner").get("/audit", params={"cursor": "WyJ4Il0"})
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_cursor")


async def test_csv_is_whole_and_no_cell_is_a_formula(
    client: Caller, db: Database, owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "BATCH", 3)
    await write(db, owner, 7)
    evil = replace(owner, user_agent='=HYPERLINK("http://evil.example","x")')
    async with db.tenant_tx(evil) as tx:
        await audit.record(tx, evil, "device.update", "@SUM(A1)", 'a,"b"\r\nc')
    answer = await client("owner").get("/audit/export")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert len(rows) == 8
    assert rows[0]["user_agent"] == '\'=HYPERLINK("http://evil.example","x")'
    assert (rows[0]["resource_type"], rows[0]["resource_id"]) == ("'@SUM(A1)", 'a,"b"\r\nc')
    assert json.loads(rows[1]["new_values"]) == {"number": 7, "nested": {"a": 10**30, "b": [1, None, True]}}
    assert [row["resource_id"] for row in rows[1:]] == [f"dev_{number}" for number in range(6, -1, -1)]
    narrowed = await client("owner").get("/audit/export", params={"resource_type": "device", "limit": 1})
    assert narrowed.text.count("\r\n") == 8
    for format, params in (
        ("jsonl", {"action": "device.update"}),
        ("csv", {"after": "1"}),
        ("json", {"after": "1"}),
    ):
        refused = await client("owner").get("/audit/export", params={"format": format, **params})
        assert (refused.status_code, refused.json()["code"]) == (422, "filter_not_possible")
    assert (await client("viewer").get("/audit/export")).status_code == 403


async def test_json_holds_what_the_list_shows(
    client: Caller, db: Database, owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "BATCH", 3)
    await write(db, owner, 7)
    answer = await client("owner").get("/audit/export", params={"format": "json"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == (await client("owner").get("/audit")).json()["items"] and len(answer.json()) == 7
    none = await client("owner").get("/audit/export", params={"format": "json", "action": "org.delete"})
    assert none.json() == []


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"]
)
def test_what_a_spreadsheet_would_run_is_made_plain(text: str) -> None:
    assert plain(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "{}", "1", "dev_-"])
def test_ordinary_cells_stay(text: str) -> None:
    assert plain(text) == text


async def test_a_verification_over_http_goes_on_where_it_stopped(
    client: Caller, context: Context, db: Database, owner: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "BATCH", 4)
    await write(db, owner, 10)
    await seal_all(context)
    await make_checkpoint(context, owner.tenant_id)
    await write(db, owner, 1)
    whole = (await client("owner").get("/audit/verify")).json()
    assert whole["head"]
    assert {name: whole[name] for name in ("ok", "complete", "verified_to", "unsealed", "last_checkpoint")} == {
        "ok": True, "complete": True, "verified_to": 10, "unsealed": 1, "last_checkpoint": 10,
    }  # fmt: skip
    part = await verification.verify(context, owner, budget=0)
    assert (part.ok, part.complete, part.verified_to) == (True, False, 4)
    rest = (await client("owner").get("/audit/verify", params={"after": 4})).json()
    assert (rest["ok"], rest["complete"], rest["head"]) == (True, True, whole["head"])
    missing = await client("owner").get("/audit/verify", params={"after": 99})
    assert (missing.status_code, missing.json()["code"]) == (404, "seal_not_found")
    assert (await client("viewer").get("/audit/verify")).status_code == 403
    empty = (await client("stranger").get("/audit/verify")).json()
    assert (empty["ok"], empty["verified_to"], empty["last_checkpoint"]) == (True, 0, None)


async def test_refusals_are_recorded_but_cannot_fill_the_log(
    client: Caller, context: Context, owner: Principal
) -> None:
    for _ in range(20):
        await audit.record_refusal(
            context, owner, "security.permission_denied", "permission", "devices:manage", reason={"code": "x"}
        )
    found = (await client("owner").get("/audit", params={"status": "failure", "limit": 200})).json()["items"]
    assert 9 <= len(found) <= 12
    assert found[0]["new_values"] == {"code": "x"}


async def test_a_refusal_that_cannot_be_recorded_still_stands(context: Context, owner: Principal) -> None:
    await context.db.close()
    await audit.record_refusal(context, owner, "device.delete", "device", "dev_1")
