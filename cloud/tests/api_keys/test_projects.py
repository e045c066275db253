"""Keys limited to projects: what lies elsewhere is missing to them, in every subsystem."""

import json
from pathlib import Path

import pytest

from cloud.tests.api_keys.test_api_keys import with_key
from cloud.tests.auth.conftest import House
from cloud.tests.organizations.test_organizations import enter
from edgeflow_cloud.kernel import ids

OPENAPI = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())
OF_A_DEVICE = sorted(
    (method, path)
    for path, item in OPENAPI["paths"].items()
    for method in item
    if "{device_id}" in path and path.count("{") == 1 and method in ("get", "delete")
)


class Halls:
    """An organization with a device in project `near`, one in `far` and one in none, and a key for `near`."""

    async def build(self, house: House, *scopes: str) -> None:
        self.client, _, _ = await enter(house, "ada")
        self.near, self.far = [await self._make("/projects", "id", name=name) for name in ("near", "far")]
        self.here = await self._make("/devices", "device_id", name="here", project_id=self.near)
        self.there = await self._make("/devices", "device_id", name="there", project_id=self.far)
        self.loose = await self._make("/devices", "device_id", name="loose")
        body = {"name": "a", "scopes": [*scopes], "projects": [self.near]}
        made = (await self.client.post("/api-keys", json=body)).json()
        assert made["projects"] == [self.near]
        self.program = with_key(house, made["key"])

    async def _make(self, path: str, answer: str, /, **body: object) -> str:
        made = await self.client.post(path, json=body)
        assert made.status_code == 201, made.text
        return made.json()[answer]


async def test_lists_hold_what_is_in_the_projects(house: House) -> None:
    halls = Halls()
    await halls.build(house, "devices:read", "projects:read")
    listed = (await halls.program.get("/devices", params={"total": "true"})).json()
    assert [item["device_id"] for item in listed["items"]] == [halls.here]
    assert listed["total"] == 1
    assert [item["id"] for item in (await halls.program.get("/projects")).json()["items"]] == [halls.near]
    assert len((await halls.client.get("/devices")).json()["items"]) == 3


async def test_foreign_devices_answer_as_missing_ones_everywhere(house: House) -> None:
    assert len(OF_A_DEVICE) >= 8
    halls = Halls()
    await halls.build(house, "devices:manage", "flows:manage", "resources:manage")
    absent = ids.encode(ids.DEVICE, ids.new())
    refused = 0
    for method, path in OF_A_DEVICE:
        seen = [
            await halls.program.request(method, path.removeprefix("/api/v1").format(device_id=device))
            for device in (absent, halls.there, halls.loose)
        ]
        told = [(answer.status_code, answer.json().get("code")) for answer in seen]
        assert told[0] == told[1] == told[2], (method, path, told)
        refused += told[0][0] == 404
    assert refused >= 5
    for device in (halls.there, halls.loose):
        assert (await halls.client.get(f"/devices/{device}")).status_code == 200


async def test_writing_stays_inside(house: House) -> None:
    halls = Halls()
    await halls.build(house, "devices:manage")
    made = await halls.program.post("/devices", json={"name": "new", "project_id": halls.near})
    assert made.status_code == 201, made.text
    for body in ({"name": "out"}, {"name": "out", "project_id": halls.far}):
        refused = await halls.program.post("/devices", json=body)
        assert refused.status_code in (403, 404), refused.text
        assert refused.json()["code"] in ("outside_projects", "project_not_found")
    moved = await halls.program.put(f"/devices/{halls.here}", json={"project_id": None})
    assert (moved.status_code, moved.json()["code"]) == (403, "outside_projects")
    tagged = await halls.program.post("/devices/tags", json={"target": {"all": True}, "add": ["mine"]})
    assert tagged.json()["matched"] == 2
    assert (await halls.program.post("/live/ticket")).json()["code"] == "outside_projects"


async def test_a_limit_outlives_its_project(house: House) -> None:
    halls = Halls()
    await halls.build(house, "devices:read")
    assert (await halls.client.delete(f"/projects/{halls.near}")).status_code == 204
    assert (await halls.program.get("/devices")).json()["items"] == []


@pytest.mark.parametrize("scope", ["audit:read", "projects:manage", "organization:read"])
async def test_scopes_of_the_whole_organization_are_refused(house: House, scope: str) -> None:
    client, _, _ = await enter(house, "ada")
    project = (await client.post("/projects", json={"name": "near"})).json()["id"]
    body = {"name": "a", "scopes": ["devices:read", scope], "projects": [project]}
    assert (await client.post("/api-keys", json=body)).json()["code"] == "scope_not_in_projects"
    body = {"name": "a", "scopes": ["devices:read"], "projects": [ids.encode(ids.PROJECT, ids.new())]}
    assert (await client.post("/api-keys", json=body)).json()["code"] == "project_not_found"


async def test_every_table_and_view_of_devices_is_narrowed(sql) -> None:
    bare = await sql.fetch(
        """
        select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
          and a.attname in ('device_id', 'project_id') and (a.attnotnull or c.relkind = 'v' or a.attname = 'project_id')
          and has_table_privilege('edgeflow_app', c.oid, 'select')
          and not exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'in_projects')
          and not (c.relkind = 'v' and (
              'security_invoker=true' = any (c.reloptions) or pg_get_viewdef(c.oid) like '%devices_in_projects%'))
        """
    )
    assert [row["relname"] for row in bare] == []
