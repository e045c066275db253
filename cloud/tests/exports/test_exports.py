"""Archives over HTTP: ordered, watched, fetched, given up; no secret and nothing of another in one."""

import io
import json
import zipfile
from datetime import timedelta

from cloud.tests.auth.conftest import House, actions
from cloud.tests.organizations.test_organizations import enter
from edgeflow_cloud.exports import jobs, queries, writing
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import ExportId, TenantId


async def test_an_export_holds_everything_but_secrets(house: House, sql) -> None:
    ada, organization, _ = await enter(house, "ada")
    bob, other, _ = await enter(house, "bob")
    device = (await ada.post("/devices", json={"name": "press"})).json()
    await bob.post("/devices", json={"name": "foreign"})
    key = (await ada.post("/api-keys", json={"name": "a", "scopes": ["devices:read"]})).json()["key"]
    path = f"/organizations/{organization}/exports"
    ordered = await ada.post(path)
    assert (ordered.status_code, ordered.json()["state"], ordered.json()["progress"]) == (202, "waiting", 0)
    own = f"{path}/{ordered.json()['id']}"
    assert (await ada.get(own)).json()["url"] is None
    payload: dict[str, object] = {
        "tenant_id": str(ids.decode("org", organization)),
        "export_id": str(ids.decode("exp", ordered.json()["id"])),
    }
    await writing.export(house.context, payload)
    await writing.export(house.context, payload)
    done = (await ada.get(own)).json()
    assert done["state"] == "done" and done["url"].startswith(house.context.settings.public_url)
    assert (await ada.get(path)).json()["total"] == 1
    data = await house.context.blobs.get(f"exports/{organization}/{ordered.json()['id']}.zip")
    assert len(data) == done["size"]
    archive = zipfile.ZipFile(io.BytesIO(data))
    files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert sum(json.loads(files["contents.json"]).values()) == done["rows"] > 5
    assert done["progress"] == 100
    assert [json.loads(line)["name"] for line in files["devices.ndjson"].splitlines()] == ["press"]
    assert house.email("ada") in files["people.ndjson"]
    assert "org.create" in files["audit_entries.ndjson"]
    whole = "".join(files.values())
    assert not {"sessions.ndjson", "idempotency_keys.ndjson"} & set(files)
    for secret in ("foreign", house.email("bob"), key, device["api_key"], "\\\\x", '"hash"', '"seed"'):
        assert secret not in whole
    assert (await bob.get(f"/organizations/{other}/exports/{ordered.json()['id']}")).status_code == 404
    assert (await bob.get(own)).status_code == 404
    assert (await bob.post(path)).status_code == 404
    assert "org.export" in await actions(sql)


async def test_how_far_it_is_can_be_seen(house: House, monkeypatch) -> None:
    ada, organization, _ = await enter(house, "ada")
    await ada.post("/devices", json={"name": "press"})
    path = f"/organizations/{organization}/exports"
    export_id = (await ada.post(path)).json()["id"]
    seen: list[int] = []

    async def look(tx: Transaction, *rest: object) -> None:
        await noted(tx, *rest)  # type: ignore[arg-type]
        found = await queries.select_export(tx, tenant, key)
        assert found is not None and found["state"] == "waiting"
        seen.append(found["progress"])

    tenant, key = TenantId(ids.decode("org", organization)), ExportId(ids.decode("exp", export_id))
    noted = queries.set_progress
    monkeypatch.setattr(queries, "set_progress", look)
    monkeypatch.setattr(writing, "_TELL", 0.0)
    await writing.export(house.context, {"tenant_id": str(tenant), "export_id": str(key)})
    assert seen == sorted(seen) and seen[0] < 10 and seen[-1] == 99 and len(set(seen)) > 10
    assert (await ada.get(f"{path}/{export_id}")).json()["progress"] == 100


async def test_an_export_that_never_came_has_failed(house: House, sql) -> None:
    ada, organization, _ = await enter(house, "ada")
    own = f"/organizations/{organization}/exports/"
    ordered = (await ada.post(own[:-1])).json()
    await jobs.tidy(house.context, {})
    assert (await ada.get(own + ordered["id"])).json()["state"] == "waiting"
    await sql.execute("update organization_exports set created_at = created_at - interval '9 hours'")
    await jobs.tidy(house.context, {})
    assert (await ada.get(own + ordered["id"])).json()["state"] == "failed"


async def test_an_old_archive_goes(house: House) -> None:
    key = "exports/org_x/exp_x.zip"
    await house.context.blobs.put(key, b"zip")
    await jobs.tidy(house.context, {})
    assert await house.context.blobs.get(key) == b"zip"
    house.clock.advance(timedelta(days=8))
    await jobs.tidy(house.context, {})
    assert [blob.key async for blob in house.context.blobs.keys("exports/org_x")] == []
