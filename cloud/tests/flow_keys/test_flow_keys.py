"""Keys and signed bundles over HTTP, on the real database and object store."""

import asyncio
import hashlib
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cloud.tests.conftest import Caller, device_principal
from edgeflow_cloud.flow_keys.service import SEALED
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_protocol.bundle import decode_base64, endorsed_message, key_id_of, read_bundle, signed_message

FLOW = {"nodes": [{"id": "n1", "type": "inject", "config": {}}], "connections": []}


def public(document: dict[str, str]) -> Ed25519PublicKey:
    raw = decode_base64(document["public_key"], 32)
    assert raw is not None
    assert key_id_of(raw) == document["key_id"]
    return Ed25519PublicKey.from_public_bytes(raw)


async def sign(client: Caller, **body: object) -> dict[str, str]:
    made = await client("owner").post("/flow-bundles", json={"flow_id": "f", "definition": FLOW, **body})
    assert made.status_code == 201, made.text
    return made.json()


async def test_a_key_is_made_when_it_is_first_needed_and_only_one(client: Caller, sql) -> None:
    answers = await asyncio.gather(*(client("owner").get("/flow-keys") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    (only,) = {item["key_id"] for answer in answers for item in answer.json()["items"]}
    key = answers[0].json()["items"][0]
    assert (key["signs"], key["retired"], key["endorsed_by"]) == (True, False, "")
    row = await sql.fetchrow("select * from flow_keys")
    assert row["key_id"] == only
    assert len(row["sealed"]) > 32


async def test_a_signed_flow_is_what_a_device_checks(client: Caller, context: Context, owner) -> None:
    made = await sign(client, version=3)
    assert made["version"] == 3
    data = await context.blobs.get(f"flow-bundles/{owner.tenant_id}/{made['sha256']}.json")
    assert hashlib.sha256(data).hexdigest() == made["sha256"]
    bundle = read_bundle(data)
    assert (bundle.flow_id, bundle.version, bundle.definition) == ("f", 3, FLOW)
    (key,) = (await client("viewer").get("/flow-keys")).json()["items"]
    assert key["key_id"] == made["key_id"]
    signature = decode_base64(made["signature"], 64)
    assert signature is not None
    public(key).verify(signature, signed_message(data))
    with pytest.raises(InvalidSignature):
        public(key).verify(signature, signed_message(data + b" "))
    assert made["bundle"] == {name: made[name] for name in ("url", "sha256", "signature", "key_id")}


async def test_the_same_flow_is_the_same_version(client: Caller) -> None:
    one, other = await sign(client), await sign(client)
    assert (one["version"], one["sha256"]) == (other["version"], other["sha256"])
    changed = await sign(client, definition={**FLOW, "nodes": []})
    assert changed["version"] != one["version"]


async def test_what_cannot_be_signed_is_a_sentence(client: Caller) -> None:
    for body, code in (
        ({"flow_id": "a\nb", "definition": {}}, "bundle_invalid"),
        ({"flow_id": "f", "definition": {"text": "x" * 1_048_570}}, None),
        ({"flow_id": "f", "version": -1, "definition": {}}, "bundle_invalid"),
    ):
        answer = await client("owner").post("/flow-bundles", json=body)
        assert answer.status_code in (400, 413, 422), answer.text
        assert code is None or answer.json()["code"] == code
    assert (
        await client("viewer").post("/flow-bundles", json={"flow_id": "f", "definition": {}})
    ).status_code == 403


async def test_a_new_key_is_endorsed_by_the_one_before(client: Caller, sql) -> None:
    before = await sign(client)
    rotated = await client("owner").post("/flow-keys/rotate", json={"overlap_seconds": 3600})
    assert rotated.status_code == 200, rotated.text
    old, new = rotated.json()["items"]
    assert (old["signs"], new["signs"], old["retired"]) == (False, True, False)
    assert old["retires_at"] is not None
    assert new["endorsed_by"] == old["key_id"] == before["key_id"]
    endorsement, raw = decode_base64(new["endorsement"], 64), decode_base64(new["public_key"], 32)
    assert endorsement is not None
    assert raw is not None
    public(old).verify(endorsement, endorsed_message(raw))
    assert (await sign(client))["key_id"] == new["key_id"]
    assert await sql.fetchval("select count(*) from flow_keys where sealed is not null") == 1
    assert (await client("member").post("/flow-keys/rotate", json={})).status_code == 403
    third = (await client("owner").post("/flow-keys/rotate", json={"overlap_seconds": 0})).json()["items"]
    assert [key["retired"] for key in third] == [False, True, False]


async def test_of_those_who_rotate_at_once_each_makes_one_link(client: Caller) -> None:
    await sign(client)
    answers = await asyncio.gather(*(client("owner").post("/flow-keys/rotate", json={}) for _ in range(4)))
    won = sum(answer.status_code == 200 for answer in answers)
    assert won >= 1
    assert {answer.status_code for answer in answers} <= {200, 409, 503}
    keys = (await client("owner").get("/flow-keys")).json()["items"]
    assert len(keys) == 1 + won
    assert [key["endorsed_by"] for key in keys] == ["", *(key["key_id"] for key in keys[:-1])]


async def test_a_device_gets_keys_and_fresh_addresses_and_only_its_own(
    client: Caller, known: dict[str, Principal], owner: Principal
) -> None:
    made = await sign(client)
    device = (await client("owner").post("/devices", json={"name": "press"})).json()
    other = (await client("owner").post("/devices", json={"name": "saw"})).json()
    known["device"] = device_principal(owner, DeviceId(ids.decode("dev", device["device_id"])))
    own = client("device")
    keys = (await own.get(f"/devices/{device['device_id']}/flow-keys")).json()["flow_keys"]
    assert [key["key_id"] for key in keys] == [made["key_id"]]
    path = f"/devices/{device['device_id']}/flow-bundles"
    fresh = await own.get(f"{path}/{made['sha256']}")
    assert fresh.status_code == 200
    assert made["sha256"] in fresh.json()["url"]
    missing = await own.get(f"{path}/{'0' * 64}")
    assert (missing.status_code, missing.json()["code"]) == (404, "flow_bundle_not_found")
    assert (await own.get(f"/devices/{other['device_id']}/flow-keys")).status_code == 404
    assert (await own.post("/flow-bundles", json={"flow_id": "f", "definition": {}})).status_code == 403


async def test_our_device_pins_the_keys_with_its_code_and_a_field_device_hears_nothing(
    client: Caller,
) -> None:
    made = await sign(client)
    codes = (await client("owner").post("/provisioning-codes", json={"count": 2, "name": "p"})).json()[
        "items"
    ]
    for number, (code, hardware) in enumerate(zip(codes, ({"agent": "edgeflow-agent"}, {}), strict=True)):
        answer = await client("").post(
            "/devices/provision",
            json={
                "provisioning_code": code["code"],
                "hardware_info": hardware,
                "network_info": {"mac_address": f"dc:a6:32:00:01:0{number}"},
            },
        )
        assert answer.status_code == 201, answer.text
        pinned = answer.json().get("flow_keys")
        assert ([key["key_id"] for key in pinned] if pinned else None) == (
            [made["key_id"]] if hardware else None
        )


async def test_keys_outlive_a_rotation_of_the_master_key(client: Caller, context: Context, sql) -> None:
    made = await sign(client)
    before = await sql.fetchval("select sealed from flow_keys")
    now = context.clock.now()
    context.secrets.master_keys.rotate(until=now + timedelta(hours=1), now=now)
    assert await SEALED.reseal(context) == 1
    assert await SEALED.reseal(context) == 0
    assert await sql.fetchval("select sealed from flow_keys") != before
    assert (await sign(client))["key_id"] == made["key_id"]
    await sql.execute("update flow_keys set sealed = $1", before[:-1] + b"x")
    broken = await client("owner").post("/flow-bundles", json={"flow_id": "f", "definition": {}})
    assert (broken.status_code, broken.json()["code"]) == (503, "master_key_missing")
