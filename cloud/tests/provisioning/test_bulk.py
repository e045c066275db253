"""Codes in bulk: numbered names, batches, projects, tables and labels."""

import csv
import io
import time

import asyncpg
import pytest

from cloud.tests.conftest import Caller
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.provisioning.labels import claim_url, host_of
from edgeflow_cloud.provisioning.model import number_name


@pytest.fixture
async def enrolled(database_url: str, owner: Principal, stranger: Principal) -> None:
    """Both organizations have a row: projects belong to one."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("set role edgeflow_system")
    for number, principal in enumerate((owner, stranger)):
        await connection.execute(
            "insert into organizations (tenant_id, name, slug, created_at, updated_at) "
            "values ($1, $2, $2, now(), now())",
            principal.tenant_id,
            f"org-{number}",
        )
    await connection.close()


@pytest.mark.usefixtures("enrolled")
async def test_a_thousand_codes_are_one_batch(client: Caller, database_url: str) -> None:
    project = (await client("owner").post("/projects", json={"name": "Line 3"})).json()["id"]
    group = (await client("owner").post("/groups", json={"name": "Lab"})).json()["id"]
    body = {
        "count": 1000,
        "name": "Press {nnnn}",
        "tags": ["line-3"],
        "project_id": project,
        "group_id": group,
    }
    started = time.monotonic()
    made = await client("owner").post("/provisioning-codes", json=body)
    assert made.status_code == 201, made.text
    assert time.monotonic() - started < 10
    document = made.json()
    items = document["items"]
    assert len({item["code"] for item in items}) == 1000
    assert {item["batch_id"] for item in items} == {document["batch_id"]}
    assert [item["name"] for item in items[:2]] == ["Press 0001", "Press 0002"]
    assert items[999]["name"] == "Press 1000"
    assert items[0]["claim_url"].endswith(f"/claim#{items[0]['code']}")
    assert items[0]["claim_text"].splitlines()[:2] == [items[0]["code"], "Press 0001"]

    listed = await client("owner").get("/provisioning-codes", params={"batch_id": document["batch_id"]})
    assert listed.json()["total"] == 1000
    connection = await asyncpg.connect(database_url)
    await connection.execute("set role edgeflow_system")
    audited = await connection.fetch(
        "select resource_id from audit_entries where action = 'provisioning_code.create'"
    )
    await connection.close()
    assert [row["resource_id"] for row in audited] == [document["batch_id"]]

    shown = {"provisioning_code": items[4]["code"], "network_info": {"mac_address": "DC:A6:32:00:00:05"}}
    device_id = (await client("").post("/devices/provision", json=shown)).json()["device_id"]
    device = (await client("owner").get(f"/devices/{device_id}")).json()
    assert (device["name"], device["project_id"], device["tags"]) == ("Press 0005", project, ["line-3"])
    assert (device["group"], device["groups"]) == ("Lab", ["Lab"])

    # A roll of labels is lost: what nobody used is worth nothing, and the device that used one may still claim.
    assert (
        await client("stranger").delete("/provisioning-codes", params={"batch_id": document["batch_id"]})
    ).json() == {"revoked": 0}
    revoked = await client("owner").delete("/provisioning-codes", params={"batch_id": document["batch_id"]})
    assert revoked.json() == {"revoked": 999}
    lost = {"provisioning_code": items[7]["code"], "network_info": {"mac_address": "DC:A6:32:00:00:08"}}
    assert (await client("").post("/devices/provision", json=lost)).status_code == 403
    assert (await client("").post("/devices/provision", json=shown)).json()["device_id"] == device_id


async def test_the_table_is_the_answer_of_the_creation(client: Caller) -> None:
    headers = {"accept": "text/csv", "idempotency-key": "k1"}
    body = {"count": 3, "name": "=1+{n}", "tags": ["a", "b"]}
    made = await client("owner").post("/provisioning-codes", json=body, headers=headers)
    assert made.status_code == 201
    assert made.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(made.text)))
    assert [row["name"] for row in rows] == ["'=1+1", "'=1+2", "'=1+3"]  # no formula for a spreadsheet
    assert rows[0]["tags"] == "a b"
    assert rows[0]["claim_url"].endswith(rows[0]["code"])
    used = await client("").post("/devices/provision", json={"provisioning_code": rows[1]["code"]})
    assert used.status_code == 201
    again = await client("owner").post("/provisioning-codes", json=body, headers=headers)
    assert (again.text, again.headers["content-type"]) == (made.text, made.headers["content-type"])
    assert (await client("owner").get("/provisioning-codes")).json()["total"] == 3


@pytest.mark.usefixtures("enrolled")
async def test_a_project_that_is_not_there(client: Caller) -> None:
    theirs = (await client("stranger").post("/projects", json={"name": "theirs"})).json()["id"]
    for project in (theirs, ids.encode(ids.PROJECT, ids.new())):
        answer = await client("owner").post("/provisioning-codes", json={"project_id": project})
        assert (answer.status_code, answer.json()["code"]) == (404, "project_not_found")
    assert (await client("owner").get("/provisioning-codes")).json()["total"] == 0


async def test_a_group_that_devices_cannot_be_put_into(client: Caller) -> None:
    theirs = (await client("stranger").post("/groups", json={"name": "theirs"})).json()["id"]
    by_query = (await client("owner").post("/groups", json={"name": "q", "query": "name = x"})).json()["id"]
    for group, status, code in ((theirs, 404, "group_not_found"), (by_query, 422, "group_is_dynamic")):
        answer = await client("owner").post("/provisioning-codes", json={"group_id": group})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    gone = (await client("owner").post("/groups", json={"name": "gone"})).json()["id"]
    made = (await client("owner").post("/provisioning-codes", json={"group_id": gone})).json()["items"][0]
    assert (await client("owner").delete(f"/groups/{gone}")).status_code == 204
    shown = await client("").post("/devices/provision", json={"provisioning_code": made["code"]})
    assert shown.status_code == 201  # a group that went takes no device's way away


@pytest.mark.parametrize(
    ("name", "number", "count", "numbered"),
    [
        (None, 1, 2, None),
        ("Press", 1, 1, "Press"),
        ("Press", 2, 3, "Press 2"),
        ("Press {n}", 1, 1, "Press 1"),
        ("{nnn}-x-{n}", 7, 9, "007-x-7"),
        ("{nn}", 100, 100, "100"),
        ("{m} {}", 2, 2, "{m} {} 2"),
    ],
)
def test_names_are_numbered(name: str | None, number: int, count: int, numbered: str | None) -> None:
    assert number_name(name, number, count) == numbered


def test_what_a_label_says() -> None:
    assert claim_url("https://edge.example.com/", "PROV-A1B2-C3D4") == (
        "https://edge.example.com/claim#PROV-A1B2-C3D4"
    )
    assert host_of("https://edge.example.com") == "edge.example.com:443"
    assert host_of("http://[::1]:8000") == "[::1]:8000"
