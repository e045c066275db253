"""Every operation of the OpenAPI document, by every kind of caller: allowed exactly where the table says so.

Whoever may is not let do it: a malformed body or an id of nothing ends the call after its permission was asked.
"""

import json
import re

import httpx2 as httpx

from cloud.tests.auth.conftest import House
from cloud.tests.permissions.conftest import Sql, Tenant, add_callers
from cloud.tests.permissions.table import HOLDS, PUBLIC, ROWS, SCOPED, SIGNED_IN, Row
from edgeflow_cloud.kernel import ids
from tools import openapi

PREFIX = {
    "organization_id": "org", "session_id": "ses", "user_id": "usr", "device_id": "dev", "command_id": "cmd",
    "group_id": "grp", "search_id": "srch", "code_id": "prov", "key_id": "dkey", "project_id": "prj",
    "api_key_id": "key", "export_id": "exp", "invitation_id": "inv",
}  # fmt: skip
NOTHING = {name: f"{prefix}_{'0' * 26}" for name, prefix in PREFIX.items()} | {
    "sha256": "0" * 64,
    "execution_id": "exec-0",
    "flow_id": "flow-0",
    "version": "1",
}
LAST = ("POST /auth/logout",)
"""Ends the caller's session, so it comes last."""
TABLE = {**ROWS, "POST /auth/logout": Row(SIGNED_IN)}


def document() -> dict[str, str]:
    """`GET /devices` -> the permission that the document shows."""
    paths = json.loads(openapi.render())["paths"]
    return {
        f"{method.upper()} {path.removeprefix('/api/v1')}": operation["x-permission"]
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


def test_every_operation_has_a_row() -> None:
    found = document()
    assert set(found) - set(TABLE) == set(), "a new operation needs a row: say who may"
    assert set(TABLE) - set(found) == set(), "there is no such operation (any more)"
    assert {name: row.permission for name, row in TABLE.items()} == found


async def attempt(
    client: httpx.AsyncClient, operation: str, row: Row, names: dict[str, str]
) -> httpx.Response:
    """One call that does nothing, whoever makes it."""
    method, path = operation.split(" ", 1)
    url = re.sub(r"\{(\w+)\}", lambda found: names[found.group(1)], path)
    if row.body is None:
        return await client.request(method, url)
    return await client.request(method, url, content=b"{", headers={"content-type": "application/json"})


def verdict(answer: httpx.Response, row: Row) -> str:
    """`unknown`, `denied` (naming the permission), `device` (refused for being one), or `allowed`."""
    said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    if answer.status_code == 401:
        return "unknown"
    if answer.status_code == 403 and said.get("code") == "devices_not_allowed":
        return "device"
    if answer.status_code == 403 and "permission" in said:
        named = said["permission"] == row.permission and row.permission in said["error"]
        return "denied" if named and said["code"] == "permission_denied" else f"denied wrongly: {said}"
    return f"failed: {answer.text}" if answer.status_code >= 500 else "allowed"


def expected(kind: str, row: Row) -> str:
    """What the table says of a caller."""
    if row.permission == PUBLIC:
        return "allowed"
    if kind in ("nobody", "revoked", "revoked key"):
        return "unknown"
    if kind == "device":
        return "allowed" if row.device else "device"
    if row.permission == SIGNED_IN:
        return "allowed"
    if kind in HOLDS:
        return "allowed" if row.permission in HOLDS[kind] else "denied"
    return "denied" if kind.startswith("key without") else "allowed"


def concerns(kind: str, row: Row) -> bool:
    """A program's key is tried where its permission is asked for, and where none is."""
    if not kind.startswith("key with"):
        return True
    return row.permission in (PUBLIC, SIGNED_IN) or kind.rpartition(" ")[2] == row.permission


async def test_each_caller_may_what_the_table_says(house: House, sql: Sql, ours: Tenant) -> None:
    await add_callers(house, sql, ours)
    assert {row.permission for row in TABLE.values()} - {PUBLIC, SIGNED_IN} <= set(SCOPED)
    wrong: list[str] = []
    calls = 0
    for kind, client in ours.callers.items():
        names = NOTHING | ({"device_id": ours.names["device_id"]} if kind == "device" else {})
        for operation in sorted(TABLE, key=LAST.__contains__):
            row = TABLE[operation]
            if not concerns(kind, row):
                continue
            found = verdict(await attempt(client, operation, row, names), row)
            calls += 1
            if found != expected(kind, row):
                wrong.append(f"{operation} by {kind}: {found}, not {expected(kind, row)}")
    assert wrong == []
    assert calls > 900


async def test_a_device_is_shown_itself_and_no_other(
    house: House, sql: Sql, ours: Tenant, theirs: Tenant
) -> None:
    device = house.at()
    device.headers["x-api-key"] = theirs.device_key
    fellow = (await theirs.owner.post("/devices", json={"name": "fellow"})).json()["device_id"]
    answers = [
        await device.get(f"/devices/{other}/shadow")
        for other in (NOTHING["device_id"], ours.names["device_id"], fellow)
    ]
    assert [answer.status_code for answer in answers] == [404] * 3
    bodies = [{k: v for k, v in answer.json().items() if k != "request_id"} for answer in answers]
    assert bodies[0] == bodies[1] == bodies[2]
    assert (await device.get(f"/devices/{theirs.names['device_id']}/shadow")).status_code == 200


def test_the_table_can_fail() -> None:
    row = Row("devices:view")
    assert expected("viewer", row) == "allowed" and expected("nobody", row) == "unknown"
    assert expected("viewer", Row("devices:manage")) == "denied" and expected("device", row) == "device"
    refusal = httpx.Response(403, json={"code": "permission_denied", "permission": "other", "error": "other"})
    assert verdict(refusal, row).startswith("denied wrongly")
    assert ids.decode("dev", NOTHING["device_id"]).int == 0
