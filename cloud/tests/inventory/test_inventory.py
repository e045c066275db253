"""The registry as a file, over HTTP."""

import csv
import io
import time

import httpx2 as httpx
import pytest

from cloud.tests.conftest import Caller
from edgeflow_cloud import quotas
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel.clock import SystemClock
from edgeflow_cloud.kernel.principal import Principal

CSV = {"Content-Type": "text/csv"}


@pytest.fixture(autouse=True)
async def organization(db: Database, owner: Principal) -> None:
    """Projects belong to one."""
    async with db.tenant_tx(owner) as tx:
        await tx.execute(
            "insert into organizations (tenant_id, name, slug, created_at, updated_at)"
            " values ($1, 'Acme', 'acme', now(), now())",
            owner.tenant_id,
        )


async def send(http: httpx.AsyncClient, text: str, **params: str) -> httpx.Response:
    return await http.post("/devices/import", params=params, headers=CSV, content=text.encode())


async def test_lines_go_through_or_are_refused_each_for_itself(client: Caller) -> None:
    http = client("owner")
    project = (await http.post("/projects", json={"name": "Line 9"})).json()["id"]
    await http.post("/groups", json={"name": "Lab, north"})
    await http.post("/groups", json={"name": "Hot", "query": "tag = hot"})
    known = (await http.post("/devices", json={"name": "Old", "notes": "stays", "tags": ["a"]})).json()
    text = (
        "device_id,name,tags,place_name,latitude,longitude,group,project\r\n"
        ',New,"x, y",Hall 2,52.5,13.4,"""lab, north""",line 9\r\n'
        f"{known['device_id']},Renamed,a,,,,,\r\n"
        ",Half,,,52.5,,,\r\n"
        ",Lost,,,,,Nowhere,\r\n"
        ",Asked,,,,,Hot,\r\n"
        ",New,,,,,,\r\n"
        ",Far,,,,,,Line 10\r\n"
    )
    dry = await send(http, text, dry_run="true")
    assert dry.status_code == 200
    assert (await http.get("/devices")).json()["total"] == 1
    done = await send(http, text)
    assert done.status_code == 201
    report = done.json()
    assert [report[name] for name in ("created", "updated", "unchanged", "failed")] == [1, 1, 0, 5]
    for row, would in zip(report["rows"], dry.json()["rows"], strict=True):
        assert {**would, "device_id": row.get("device_id")} == {
            key: value for key, value in {"device_id": None, **row}.items() if key != "api_key"
        }
    new, renamed, half, lost, asked, again, far = report["rows"]
    assert new["api_key"].startswith("efk_")
    assert (renamed["outcome"], renamed["changed"], renamed.get("api_key")) == ("updated", ["name"], None)
    for row, said in (
        (half, "together"),
        (lost, "Nowhere"),
        (asked, "query"),
        (again, "Line 2"),
        (far, "10"),
    ):
        assert row["outcome"] == "failed" and said in row["errors"][0]
    made = (await http.get(f"/devices/{new['device_id']}")).json()
    assert (made["tags"], made["group"], made["project_id"]) == (["x", "y"], "Lab, north", project)
    assert made["place"] == {"name": "Hall 2", "latitude": 52.5, "longitude": 13.4}
    assert (await http.get(f"/devices/{known['device_id']}")).json()["notes"] == "stays"
    audited = (await http.get("/audit", params={"resource_id": new["device_id"]})).json()["items"]
    assert [item["action"] for item in audited] == ["device.create"]

    mended = await send(http, text.replace("Nowhere", ""))
    assert [mended.json()[name] for name in ("created", "unchanged", "failed")] == [1, 2, 4]


async def test_an_export_is_read_back_as_unchanged(client: Caller, db: Database, owner: Principal) -> None:
    http = client("owner")
    await http.post("/groups", json={"name": '=cmd|"x", y'})
    project = (await http.post("/projects", json={"name": "+Line"})).json()["id"]
    hard = ["=1+1", "'=2", "@x", "-3", "Büro; 7", 'a "quoted" one', "two\nlines", "plain"]
    for number, name in enumerate(hard):
        body = {"name": name, "notes": f"-{name}\r\n'", "tags": ["=t", "b"], "project_id": project}
        place = {"name": name, "latitude": -0.1 * number, "longitude": 1e-7}
        await http.post("/devices", json={**body, "place": place})
    async with db.tenant_tx(owner) as tx:  # as devices report it, never tidied
        await tx.execute("update devices set name = ' ' || name where name = 'plain'")
    group = (await http.get("/groups")).json()["items"][0]["id"]
    first = (await http.get("/devices")).json()["items"][0]["device_id"]
    await http.put(f"/groups/{group}/members", json={"device_ids": [first]})
    for separator in ("comma", "semicolon"):
        exported = await http.get("/devices/export", params={"separator": separator})
        assert exported.headers["content-type"] == "text/csv; charset=utf-8"
        assert exported.content.startswith(b"\xef\xbb\xbf")
        back = await http.post("/devices/import", headers=CSV, content=exported.content)
        assert back.status_code == 200
        report = back.json()
        assert (report["unchanged"], report["failed"], report["updated"]) == (len(hard), 0, 0), report
    rows = list(csv.reader(io.StringIO(exported.text.removeprefix("\ufeff"), newline=""), delimiter=";"))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))]
    some = await http.get("/devices/export", params={"q": 'name ~ "quoted"'})
    assert len(list(csv.reader(io.StringIO(some.text, newline="")))) == 2
    wrong = await http.get("/devices/export", params={"q": "name ="})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "query_invalid")


async def test_a_repeated_import_is_done_once(client: Caller) -> None:
    http = client("owner")
    headers = {**CSV, "Idempotency-Key": "one"}
    first = await http.post("/devices/import", headers=headers, content=b"name\nPress\n")
    again = await http.post("/devices/import", headers=headers, content=b"name\nPress\n")
    assert first.json() == again.json() and again.headers["idempotency-replayed"] == "true"
    assert first.json()["rows"][0]["api_key"]


async def test_a_plan_s_last_places_go_to_the_first_lines(
    client: Caller, db: Database, owner: Principal
) -> None:
    async with db.system_tx("test") as tx:
        await quotas.set_plan(tx, owner, "free", SystemClock().now())
    http = client("owner")
    text = "name\n" + "".join(f"d{number}\n" for number in range(7))
    for dry in ("true", "false"):
        report = (await send(http, text, dry_run=dry)).json()
        assert (report["created"], report["failed"]) == (5, 2)
        assert "plan Free allows 5 devices" in report["rows"][5]["errors"][0]
    assert (await http.get("/devices")).json()["total"] == 5


async def test_nobody_touches_another_organization_s_devices(client: Caller) -> None:
    made = (await client("owner").post("/devices", json={"name": "mine"})).json()
    report = (await send(client("stranger"), f"device_id,name\n{made['device_id']},yours\n")).json()
    assert report["failed"] == 1 and "no device" in report["rows"][0]["errors"][0]
    assert made["device_id"] not in (await client("stranger").get("/devices/export")).text


async def test_a_large_file_goes_through(client: Caller) -> None:
    http = client("owner")
    text = "name,tags,notes\n" + "".join(f"d{number},a b,note [ {{ {number}\n" for number in range(1_000))
    began = time.monotonic()
    report = await send(http, text)
    assert report.json()["created"] == 1_000
    assert time.monotonic() - began < 30
    exported = await http.get("/devices/export")
    back = await http.post("/devices/import", headers=CSV, content=exported.content)
    assert back.json()["unchanged"] == 1_000
