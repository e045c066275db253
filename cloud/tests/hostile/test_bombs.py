"""What is made to hurt is refused clearly, early and cheaply: 4xx with a sentence, never 5xx, never silently another
meaning.
"""

import asyncio
import contextlib
import gzip
import json
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest

from cloud.tests.conftest import Caller
from cloud.tests.hostile.conftest import Target
from edgeflow_cloud.infra.http import protocol
from edgeflow_cloud.infra.http.parsing import parse
from edgeflow_cloud.kernel.errors import Problem

MIB = 1024 * 1024
JSON = {"content-type": "application/json"}
DEEP = b'{"desired":' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}"
ENDPOINTS = {  # one of each manner: a person's, one that makes things, one that devices may call, a public one
    "POST /devices": b'{"name": %s}',
    "PUT /devices/{device_id}/shadow": b'{"desired": {"a": %s}}',
    "POST /devices/{device_id}/commands?wait=0": b'{"action": "ping", "ttl": 60, "payload": {"a": %s}}',
    "PUT /organizations/{organization_id}": b'{"metadata": {"a": %s}}',
    "POST /auth/login": b'{"email": "a@example.com", "password": %s}',
    "POST /devices/provision": b'{"provisioning_code": "PROV-AAAA-AAAA", "device_name": %s}',
}
VALUES: dict[str, tuple[bytes, set[int]]] = {  # what is put in, and how it may be answered
    "an open list": (b"[", {400, 422}),
    "forty lists": (b"[" * 40 + b"]" * 40, {422}),
    "a hundred thousand lists": (b"[" * 100_000, {422}),
    "a hundred thousand objects": (b'{"a":' * 100_000, {422}),
    "two mebibytes": (b'"' + b"x" * 2 * MIB + b'"', {413}),
    "a mebibyte of objects": (b"[" + b"{}," * (MIB // 4) + b"{}]", {401, 413, 422}),
    "NUL": (b'"a\\u0000b"', {401, 422}),
    "NUL as a key": (b'{"a\\u0000": 1}', {422}),
    "a bare NUL": (b'"a\x00b"', {400}),
    "half a surrogate pair": (b'"\\ud800"', {422}),
    "half a surrogate pair as a key": (b'{"\\udfff": 1}', {422}),
    "bytes of no character": (b'"\xff\xfe\xed\xa0\x80"', {400}),
    "five thousand digits": (b"9" * 5_000, {422}),
    "a million digits": (b"9" * 1_000_000, {422}),
    "1e999": (b"1e999", {422}),
    "-1e999": (b"-1e999", {422}),
    "an endless exponent": (b"1e" + b"9" * 500, {422}),
    "NaN": (b"NaN", {400}),
    "Infinity": (b"-Infinity", {400}),
    "a key twice": (b'{"k": 1, "k": 2}', {422}),
    "a thousand keys twice": (b"{" + b",".join(b'"k%d": 1' % (n // 2) for n in range(2_000)) + b"}", {422}),
    "nothing": (b"", {400}),
    "a word": (b"word", {400}),
    "a comment": (b"1 /* one */", {400}),
    "two values": (b"1} {", {400}),
}


def refusal(answer: httpx.Response) -> dict[str, object]:
    """A problem document that says something."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] not in ("", "internal_error")
    assert body["detail"].endswith((".", ")")), body["detail"]
    assert len(answer.content) < 4_096
    return body


async def test_a_hostile_value_is_refused_everywhere(target: Target) -> None:
    wrong: list[object] = []
    async with target.client() as client:
        for name, (value, allowed) in VALUES.items():
            for endpoint, template in ENDPOINTS.items():
                method, path = endpoint.split(" ")
                began = time.monotonic()
                answer = await client.request(
                    method, path.format_map(target.names), content=template % value, headers=JSON
                )
                unknown = {403} if "provision" in path else set[int]()  # the code is, whatever else is said
                if answer.status_code not in allowed | unknown or time.monotonic() - began > 5:
                    wrong.append((name, endpoint, answer.status_code, answer.text[:300]))
                else:
                    refusal(answer)
    assert not wrong, "\n".join(map(str, wrong))


async def test_a_key_that_stands_twice_is_named(client: Caller) -> None:
    answer = await client("owner").post("/devices", content=b'{"name": "a", "name": "b"}', headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "duplicate_key")
    assert answer.json()["errors"][0]["field"] == "name"


async def test_a_syntax_error_is_shown_where_it_is(client: Caller) -> None:
    answer = await client("owner").post("/devices", content=b'{\n "name": }', headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")
    assert "line 2, column 10" in answer.json()["detail"]


WRONG_TYPES: tuple[tuple[dict[str, str], str], ...] = (
    ({}, "unsupported_media_type"),
    ({"content-type": "text/plain"}, "unsupported_media_type"),
    ({"content-type": "application/x-www-form-urlencoded"}, "unsupported_media_type"),
    ({"content-type": "multipart/form-data; boundary=x"}, "unsupported_media_type"),
    ({"content-type": "application/xml"}, "unsupported_media_type"),
    ({"content-type": "json"}, "unsupported_media_type"),
    ({"content-type": "application/" + "x" * 5_000}, "unsupported_media_type"),
    (JSON | {"content-encoding": "gzip"}, "unsupported_encoding"),
    (JSON | {"content-encoding": "br"}, "unsupported_encoding"),
    (JSON | {"content-encoding": "gzip, gzip, gzip"}, "unsupported_encoding"),
)


async def test_what_is_not_sent_as_plain_json_is_refused(client: Caller) -> None:
    """A gzip bomb is a short body of the wrong encoding: nothing is ever unpacked."""
    bomb = gzip.compress(b'{"name":"' + b"x" * 100 * MIB + b'"}', 1)
    assert len(bomb) < MIB
    for headers, code in WRONG_TYPES:
        body = bomb if "content-encoding" in headers else b'{"name":"a"}'
        answer = await client("owner").post("/devices", content=body, headers=headers)
        assert (answer.status_code, refusal(answer)["code"]) == (415, code), headers


async def test_json_is_known_by_its_other_names(client: Caller) -> None:
    for number, kind in enumerate(
        ("application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.x+json")
    ):
        answer = await client("owner").post(
            "/devices", content=b'{"name":"a%d"}' % number, headers={"content-type": kind}
        )
        assert answer.status_code == 201, kind


QUERIES = [
        "search=%00", "search=%ED%A0%80", "search=%FF%FE", "cursor=%00", "limit=" + "9" * 5_000, "limit=1e999",
        "offset=99999999999999999999", "limit=NaN", "cursor=" + "A" * 400, "search=" + "x" * 20_000,
        "&".join(f"limit={n}" for n in range(2_000)), "=&=&&==&%", "status=%", "limit=１", "offset=-1",
        "cursor=WyJcdTAwMDAiLCJcdTAwMDAiXQ",
    ]  # fmt: skip


async def test_hostile_queries_are_clear(target: Target) -> None:
    for query in QUERIES:
        async with target.client() as client:
            for path in ("/devices", "/audit", "/provisioning-codes", "/projects", "/api-keys"):
                answer = await client.get(f"{path}?{query}")
                assert answer.status_code in (200, 422), (path, answer.text[:300])
                if answer.status_code == 422:
                    refusal(answer)


PATHS = [
        "/api/v1/devices/%00", "/api/v1/devices/%FF", "/api/v1/devices/" + "x" * 20_000, "/api/v1/%2e%2e/%2e%2e/etc",
        "/api/v1/devices/dev_" + "z" * 26, "/api/v1/devices/%F0%9F%92%A3", "/api/v1//devices", "/api/v1/devices/%",
    ]  # fmt: skip


async def test_hostile_paths_are_clear(target: Target) -> None:
    for path in PATHS:
        async with target.client() as client:
            answer = await client.get(target.url + path)
        assert answer.status_code in (404, 422), answer.text[:300]
        refusal(answer)


PAGES = [
        "/%00",
        "/" + "x" * 5_000,
        "/..%2f..%2f..%2fetc/passwd",
        "/%FF%FE",
        "//",
        "/%2e%2e/%2e%2e/x",
        "/assets/%00",
    ]  # fmt: skip


async def test_pages_know_no_hostile_file(target: Target) -> None:
    for path in PAGES:
        async with target.client() as client:
            answer = await client.get(target.url + path)
        assert answer.status_code in (200, 404, 503)
        assert b"root:" not in answer.content


async def talk(url: str, *pieces: bytes, pause: float = 0.0, wait: float = 10.0) -> bytes:
    """Send raw bytes, answer what comes back until the other side ends or has been silent for `wait` seconds."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    answer = b""
    try:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(wait):
                while piece := await reader.read(65_536):
                    answer += piece
    finally:
        writer.close()
    return answer


HEADS = [
    b"GET /api/v1/health?" + b"x" * 8 * MIB + b" HTTP/1.1\r\n\r\n",
    b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\nx-big: " + b"x" * 8 * MIB + b"\r\n\r\n",
    b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\n" + b"".join(b"x-%d: 1\r\n" % n for n in range(400_000)),
    b"GET /api/v1/health?" + b"x" * 40_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\n" + b"x-big: " + b"x" * 40_000,
]


async def test_an_enormous_head_is_refused_before_it_is_kept(target: Target) -> None:
    for head in HEADS:
        chunks = [head[start : start + 65_536] for start in range(0, len(head), 65_536)]
        answer = await talk(target.url, *chunks)
        assert answer.startswith(b"HTTP/1.1 431 "), answer[:200]


async def test_a_head_that_fits_is_served(target: Target) -> None:
    head = b"GET /api/v1/health?" + b"x" * 30_000 + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    for pieces in ((head,), tuple(head[start : start + 7_000] for start in range(0, len(head), 7_000))):
        assert (await talk(target.url, *pieces, pause=0.01)).startswith(b"HTTP/1.1 200 ")


async def test_a_head_that_does_not_come_is_not_waited_for(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.5)
    began = time.monotonic()
    assert await talk(target.url) == b""
    assert await talk(target.url, *(b"GET / HTTP/1.1\r\n", *[b"x: y\r\n"] * 20), pause=0.1) == b""
    assert time.monotonic() - began < 8


async def test_a_body_that_does_not_come_is_not_waited_for(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeflow_cloud.infra.http.limits.BODY_SECONDS", 0.5)
    head = b"POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    head += b"content-length: 100\r\n\r\n{"
    answer = await talk(target.url, head)
    assert answer.startswith(b"HTTP/1.1 408 "), answer[:200]
    assert b"body_too_slow" in answer


NO_HTTP = [
        b"GET / HTTP/9.9\r\n\r\n", b"\x00\x01\x02\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n", b"TRACE / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx\x00y: z\r\n\r\n", b"GET / HTTP/1.1\r\nhost : x\r\n\r\n",
    ]  # fmt: skip


async def test_what_is_not_http_is_a_400(target: Target) -> None:
    for request_line in NO_HTTP:
        answer = await talk(
            target.url, request_line.replace(b"host: x", b"host: x\r\nconnection: close"), wait=5
        )
        assert answer[9:12] in (b"400", b"405", b"200", b"503", b"501"), answer[:200]
        assert not answer.startswith(b"HTTP/1.1 500")


async def test_a_chunked_body_is_bounded_while_it_comes(target: Target) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * 65_536

    async with target.client() as client:
        with contextlib.suppress(httpx.TransportError):  # the answer may come while we still send
            answer = await client.post("/devices", content=endless(), headers=JSON)
            assert answer.status_code == 413
        assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize(
    "text", [b"1", b"1.5e308", b"-0.0", b'"\\ud83d\\ude00"', b'{"a":[1,{"b":null}]}', b"9" * 300]
)
def test_ordinary_values_are_read_as_ever(text: bytes) -> None:
    assert parse(text) == json.loads(text)


@pytest.mark.parametrize(
    "text", [b"1e400", b"9" * 400, b'{"a":1,"a":1}', b"NaN", b"[1,]", b"\xff", b"'a'", b""]
)
def test_what_has_no_one_meaning_is_refused(text: bytes) -> None:
    with pytest.raises(Problem):
        parse(text)
