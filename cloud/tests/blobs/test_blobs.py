"""Objects on a real S3 store, and presigned links through the public port."""

import asyncio

# ruff: noqa: ASYNC110 - waits for a server of another library
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote, urlsplit

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from edgeflow_cloud.infra.blobs import BlobNotFound, BlobProxy, Blobs, BlobsAway

KEY = "firmware/org_1/1.0.0/größe a+b&c.bin"
DATA = bytes(range(256)) * 4096  # 1 MiB


@pytest.fixture
async def public(stack: dict[str, str]) -> AsyncIterator[tuple[Blobs, httpx2.AsyncClient]]:
    """The proxy behind a real HTTP server, and Blobs that presign for it."""
    app = Starlette()
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", proxy_headers=False))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with Blobs.open(stack["s3"], f"http://127.0.0.1:{port}") as blobs, httpx2.AsyncClient() as client:
        proxy = BlobProxy(blobs)
        app.router.routes.append(Mount("/blobs", app=proxy))
        yield blobs, client
        await proxy.close()
    server.should_exit = True
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def test_an_object_is_put_read_and_deleted(blobs: Blobs) -> None:
    await blobs.put(KEY, DATA, content_type="application/octet-stream")
    assert await blobs.get(KEY) == DATA
    assert (await blobs.head(KEY)).size == len(DATA)
    assert b"".join([chunk async for chunk in blobs.stream(KEY)]) == DATA
    assert b"".join([chunk async for chunk in blobs.stream(KEY, start=10, end=20)]) == DATA[10:20]
    assert b"".join([chunk async for chunk in blobs.stream(KEY, start=len(DATA) - 3)]) == DATA[-3:]
    assert KEY in [blob.key async for blob in blobs.keys("firmware/org_1")]
    await blobs.delete(KEY)
    await blobs.delete(KEY)
    with pytest.raises(BlobNotFound):
        await blobs.get(KEY)
    with pytest.raises(BlobNotFound):
        _ = [chunk async for chunk in blobs.stream(KEY)]


async def test_a_stream_is_put_whole(blobs: Blobs) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(DATA), 100_000):
            yield DATA[start : start + 100_000]

    await blobs.put("streamed", parts())
    assert await blobs.get("streamed") == DATA
    await blobs.delete("streamed")


async def test_a_presigned_link_works_through_the_public_port(
    public: tuple[Blobs, httpx2.AsyncClient],
) -> None:
    blobs, client = public
    await blobs.put(KEY, DATA)
    link = blobs.presign(KEY, expires=timedelta(hours=1))
    assert "/blobs/" in link
    whole = await client.get(link)
    assert (whole.status_code, whole.content == DATA) == (200, True)
    assert whole.headers["content-security-policy"].startswith("sandbox")
    assert "server" not in whole.headers or "Seaweed" not in whole.headers["server"]
    part = await client.get(link, headers={"Range": "bytes=1000-1999", "X-Forwarded-Host": "evil.example"})
    assert (part.status_code, part.content) == (206, DATA[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(DATA)}"
    again = await client.get(link, headers={"If-None-Match": whole.headers["etag"]})
    assert again.status_code == 304
    head = await client.head(blobs.presign(KEY, expires=timedelta(hours=1), method="HEAD"))
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(DATA)))
    assert (await client.get(link, headers={"Range": f"bytes={len(DATA) + 5}-"})).status_code == 416


async def test_a_link_is_good_for_its_key_its_verb_and_its_time_only(
    public: tuple[Blobs, httpx2.AsyncClient],
) -> None:
    blobs, client = public
    await blobs.put(KEY, b"secret")
    link = blobs.presign(KEY, expires=timedelta(hours=1))
    bare = link.partition("?")[0]
    wrong = {
        "unsigned": bare,
        "another key": link.replace("1.0.0", "2.0.0"),
        "altered": link.replace("Signature=", "Signature=0"),
        "another bucket": link.replace(f"/{blobs.origins.bucket}/", "/other/"),
        "the filer": urlsplit(link)._replace(path="/blobs/../../etc/passwd").geturl(),
    }
    for name, url in wrong.items():
        answer = await client.get(url)
        assert answer.status_code in (403, 404), name
        assert b"secret" not in answer.content
    assert (await client.put(link, content=b"x")).status_code == 403
    assert (await client.delete(link)).status_code == 405
    short = blobs.presign(KEY, expires=timedelta(seconds=1))
    await asyncio.sleep(2.2)
    expired = await client.get(short)
    assert (expired.status_code, "expired" in expired.text) == (403, True)


async def test_an_upload_through_a_presigned_link(public: tuple[Blobs, httpx2.AsyncClient]) -> None:
    blobs, client = public
    link = blobs.presign("uploads/log.txt", expires=timedelta(minutes=5), method="PUT")
    assert (await client.put(link, content=DATA)).status_code == 200
    assert await blobs.get("uploads/log.txt") == DATA
    await blobs.delete("uploads/log.txt")


async def test_a_missing_bucket_is_made(stack: dict[str, str]) -> None:
    url = urlsplit(stack["s3"])
    fresh = url._replace(path="/made-for-test").geturl()
    async with Blobs.open(fresh, "http://localhost") as blobs:
        await blobs.ping()
        await blobs.put("a", b"b")
    async with Blobs.open(fresh, "http://localhost") as blobs:
        assert await blobs.get("a") == b"b"


async def test_a_store_that_is_away_is_said_within_the_deadline(stack: dict[str, str]) -> None:
    blobs = Blobs("s3://key:secret@127.0.0.1:1/bucket", "http://localhost", deadline=2)
    started = asyncio.get_running_loop().time()
    with pytest.raises(BlobsAway, match=quote("127.0.0.1:1", safe=":")):
        await blobs.get("a")
    with pytest.raises(BlobsAway):
        await blobs.start()
    assert asyncio.get_running_loop().time() - started < 6
    wrong = urlsplit(stack["s3"])
    netloc = f"{wrong.username}:wrong-secret@{wrong.hostname}:{wrong.port}"
    with pytest.raises(BlobsAway):
        await Blobs(wrong._replace(netloc=netloc).geturl(), "http://localhost").get("a")
