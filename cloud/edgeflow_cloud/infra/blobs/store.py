"""The S3 client: put, get, stream, delete, presign."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import httpx2
import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from edgeflow_cloud.infra.secrets import Secret
from edgeflow_cloud.infra.settings import S3Address
from edgeflow_cloud.kernel.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from obstore import GetOptions

_LOCAL_HOST = "objects"  # what URLs of a store on loopback are signed for: its port changes, this does not
_CHUNK = 256 * 1024

Method = Literal["GET", "HEAD", "PUT", "DELETE"]


class BlobNotFound(NotFound):
    """There is no such object in the store."""

    code = "blob_not_found"


class BlobsAway(Unavailable):
    """The object store did not answer, or refused our key."""

    code = "blobs_unavailable"


@dataclass(frozen=True, slots=True)
class Blob:
    """What the store says of an object: `size` in bytes, `etag` with its quotes."""

    key: str
    size: int
    etag: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Origins:
    """Where the store is dialled, and the origin that presigned URLs are signed for."""

    endpoint: str
    signed: str
    bucket: str

    @classmethod
    def of(cls, address: S3Address) -> "Origins":
        endpoint = address.endpoint or f"https://s3.{address.region}.amazonaws.com"
        local = _is_loopback(urlsplit(endpoint).hostname or "")
        return cls(endpoint, f"http://{_LOCAL_HOST}" if local else endpoint, address.bucket)


class Blobs:
    """`url` as in S3Address; `public_url` is where devices and browsers reach us.

    `deadline` bounds each wait for the store in seconds, not the length of a transfer.
    """

    def __init__(self, url: str, public_url: str, *, deadline: float = 15.0) -> None:
        address = S3Address.parse(Secret(url))
        self.origins = Origins.of(address)
        self._public_url = public_url.rstrip("/")
        self._deadline = deadline
        self._store = _store(address, self.origins.endpoint)
        self._signer = _store(address, self.origins.signed)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, public_url: str) -> "AsyncGenerator[Blobs]":
        """A started Blobs for the length of the block. Raises BlobsAway when the store does not answer."""
        blobs = cls(url, public_url)
        await blobs.start()
        yield blobs

    async def start(self) -> None:
        """Make the bucket if it is not there. Raises BlobsAway with what the store said."""
        async with asyncio.timeout(self._deadline), httpx2.AsyncClient(timeout=self._deadline) as client:
            path = obstore.sign(self._signer, "PUT", "", timedelta(minutes=5)).partition(self.origins.signed)[
                2
            ]
            try:
                if await self._has_bucket():
                    return
                host = urlsplit(self.origins.signed).netloc
                answer = await client.put(self.origins.endpoint + path, headers={"Host": host})
            except httpx2.HTTPError as error:
                raise BlobsAway(
                    f"The object store at {self.origins.endpoint} does not answer: {error}"
                ) from error
        if answer.status_code not in (200, 409):
            raise BlobsAway(
                f"The bucket {self.origins.bucket} is missing and could not be made (the store answered"
                f" {answer.status_code}). Make it, or give the key the right to."
            )

    async def _has_bucket(self) -> bool:
        async with self._answered(self.origins.bucket):
            try:
                await obstore.list_with_delimiter_async(self._store, "no-such-folder")
            except (BaseError, FileNotFoundError) as error:
                if isinstance(error, FileNotFoundError) or "NoSuchBucket" in str(error):
                    return False
                raise
        return True

    async def ping(self) -> None:
        """Raise BlobsAway unless the store answers a signed question: for `/ready`."""
        await self._has_bucket()

    async def put(
        self, key: str, data: bytes | AsyncIterable[bytes], *, content_type: str | None = None
    ) -> None:
        """Store `data` under `key`, whole or not at all; a stream is sent in parts and never held in
        memory.
        """
        attributes = {"Content-Type": content_type} if content_type else None
        async with self._answered(key, endless=not isinstance(data, bytes)):
            await obstore.put_async(
                self._store,
                key,
                data if isinstance(data, bytes) else _bytes_iterator(data),
                attributes=attributes,
            )

    async def get(self, key: str) -> bytes:
        """The whole object: for small ones. Raises BlobNotFound."""
        async with self._answered(key):
            return bytes(await (await obstore.get_async(self._store, key)).bytes_async())

    async def head(self, key: str) -> Blob:
        """What the store knows of the object. Raises BlobNotFound."""
        async with self._answered(key):
            meta = await obstore.head_async(self._store, key)
        return Blob(key=key, size=meta["size"], etag=meta["e_tag"], changed_at=meta["last_modified"])

    async def stream(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes `start` to `end` (exclusive) in chunks. Raises BlobNotFound before the first chunk."""
        options: GetOptions = {}
        if end is not None:
            options = {"range": (start, end)}
        elif start:
            options = {"range": {"offset": start}}
        async with self._answered(key):
            found = await obstore.get_async(self._store, key, options=options)
        chunks = aiter(found.stream(min_chunk_size=_CHUNK))
        while True:
            async with self._answered(key):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield bytes(chunk)

    async def delete(self, key: str) -> None:
        """Delete the object; one that is not there is fine."""
        async with self._answered(key):
            try:
                await obstore.delete_async(self._store, key)
            except FileNotFoundError:
                return

    async def keys(self, prefix: str, *, after: str | None = None) -> AsyncIterator[Blob]:
        """All objects under `prefix` (a folder, without the slash), in the store's order: by key.

        With `after`, a whole key, only those behind it.
        """
        pages = obstore.list(self._store, prefix, offset=after, chunk_size=500)
        while True:
            async with self._answered(prefix):
                page = await anext(pages, None)
            if page is None:
                return
            for meta in page:
                yield Blob(meta["path"], meta["size"], meta["e_tag"], meta["last_modified"])

    def presign(self, key: str, *, expires: timedelta, method: Method = "GET") -> str:
        """A URL under EDGEFLOW_PUBLIC_URL that allows `method` on `key` until it expires (seven days at
        most).
        """
        signed = obstore.sign(self._signer, method, key, expires)
        return f"{self._public_url}/blobs{signed.removeprefix(self.origins.signed)}"

    @asynccontextmanager
    async def _answered(self, key: str, *, endless: bool = False) -> AsyncGenerator[None]:
        """Bound the wait and turn the store's faults into ours."""
        try:
            async with asyncio.timeout(None if endless else self._deadline):
                yield
        except FileNotFoundError as error:
            raise BlobNotFound(f"There is no object {key} in the store.") from error
        except (BaseError, TimeoutError, OSError) as error:
            said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise BlobsAway(
                f"The object store at {self.origins.endpoint} does not serve us: {said}"
            ) from error


def _store(address: S3Address, endpoint: str) -> S3Store:
    return S3Store(
        address.bucket,
        endpoint=endpoint,
        region=address.region,
        access_key_id=address.access_key,
        secret_access_key=address.secret_key.reveal(),
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "connect_timeout": "3s", "timeout": "6h"},
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
    )


async def _bytes_iterator(data: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    async for chunk in data:
        if chunk:
            yield chunk


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
