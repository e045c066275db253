"""The manners that every route has for nothing, shown on the registry's."""

import asyncio

from cloud.tests.conftest import Caller
from edgeflow_cloud.infra.db import Database


async def test_an_error_is_a_problem_document_with_the_published_string(client: Caller) -> None:
    answer = await client("owner").get("/devices/dev_" + "0" * 26, headers={"X-Request-Id": "abc-1"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == "abc-1"
    body = answer.json()
    assert body["error"] == body["detail"]
    assert (body["status"], body["code"], body["request_id"]) == (404, "device_not_found", "abc-1")


async def test_nobody_and_the_powerless_are_told_what_is_missing(client: Caller) -> None:
    nobody = await client("").get("/devices")
    assert (nobody.status_code, nobody.json()["code"]) == (401, "unauthenticated")
    viewer = await client("viewer").post("/devices", json={"name": "x"})
    assert viewer.status_code == 403
    assert "devices:manage" in viewer.json()["detail"]
    assert viewer.json()["permission"] == "devices:manage"


async def test_unknown_fields_are_refused_by_name(client: Caller) -> None:
    answer = await client("owner").post("/devices", json={"name": "x", "colour": "red"})
    assert answer.status_code == 422
    assert [item["field"] for item in answer.json()["errors"]] == ["colour"]


async def test_bad_bodies_are_clear_refusals(client: Caller) -> None:
    http = client("owner")
    for body, status, code in (
        (b"{", 400, "malformed_json"),
        (b'{"name": "' + b"x" * 1_100_000 + b'"}', 413, "body_too_large"),
        (b'{"name":' + b"[" * 40 + b"]" * 40 + b"}", 422, "too_deep"),
        (b"[" * 100_000, 422, "too_deep"),
        (b'{"name": "a\\u0000b"}', 422, "nul_character"),
        (b'{"name": "\\ud800"}', 422, "invalid_input"),
        (b'{"name": ' + b"9" * 5_000 + b"}", 422, "number_out_of_range"),
        (b"\xff\xfe", 400, "malformed_json"),
    ):
        answer = await http.post("/devices", content=body, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (status, code), body[:20]


async def test_text_that_only_looks_like_nul_is_accepted(client: Caller) -> None:
    answer = await client("owner").post(
        "/devices", content=b'{"name": "a\\\\u0000b"}', headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.json()["name"]) == (201, "a\\u0000b")


async def test_a_key_makes_a_creation_happen_once(client: Caller, db: Database) -> None:
    http = client("owner")
    headers = {"Idempotency-Key": "k-1"}
    answers = await asyncio.gather(
        *(http.post("/devices", json={"name": "once"}, headers=headers) for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 7
    async with db.system_tx("test") as tx:
        assert await tx.fetchval("select count(*) from devices") == 1
        kept = await tx.fetchval("select body from idempotency_keys")
    assert answers[0].json()["api_key"].encode() not in kept  # shown once, and not kept to be read

    other = await http.post("/devices", json={"name": "else"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


async def test_a_creation_that_failed_leaves_its_key_free(client: Caller) -> None:
    http = client("owner")
    headers = {"Idempotency-Key": "k-2"}
    assert (await http.post("/devices", json={"name": ""}, headers=headers)).status_code == 422
    assert (await http.post("/devices", json={"name": "ok"}, headers=headers)).status_code == 201


async def test_keys_of_two_callers_are_apart(client: Caller) -> None:
    headers = {"Idempotency-Key": "k-3"}
    first = await client("owner").post("/devices", json={"name": "a"}, headers=headers)
    second = await client("stranger").post("/devices", json={"name": "a"}, headers=headers)
    assert first.json()["device_id"] != second.json()["device_id"]


async def test_paging_refuses_what_is_not_its_own(client: Caller) -> None:
    http = client("owner")
    for cursor in ("x", "W10", "eyJhIjoxfQ", "!!!!", "WyJhIl0"):
        answer = await http.get("/devices", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor"), cursor
    assert (await http.get("/devices", params={"limit": 0})).status_code == 422


async def test_rate_headers_stand_on_every_answer(client: Caller) -> None:
    answer = await client("owner").get("/devices")
    assert int(answer.headers["ratelimit-limit"]) > int(answer.headers["ratelimit-remaining"]) > 0


async def test_unknown_addresses_and_methods_are_problems(client: Caller) -> None:
    http = client("owner")
    assert (await http.get("/nothing")).json()["code"] == "not_found"
    assert (await http.patch("/devices")).json()["code"] == "method_not_allowed"


async def test_the_page_cannot_be_framed_or_sniffed(client: Caller) -> None:
    headers = (await client("owner").get("/devices")).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
