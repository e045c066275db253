"""`/blobs/…` on the public port: hands a presigned request on to the store, and the answer back, as it
streams.
"""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx2
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from edgeflow_cloud.infra.blobs.store import Blobs

log = structlog.get_logger("edgeflow.blobs")

_METHODS = {"GET", "HEAD", "PUT"}
_PASSED_IN = (
    "range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since",
    "content-type", "content-length", "content-md5",
)  # fmt: skip
_PASSED_OUT = (
    "content-type", "content-length", "content-range", "content-encoding", "content-disposition",
    "accept-ranges", "etag", "last-modified", "cache-control",
)  # fmt: skip
_IDLE = 30.0  # seconds of silence on either side after which a transfer is given up


class BlobProxy:
    """An ASGI app, mounted at `/blobs`. It knows no key: an unsigned or altered request is refused.

    Headers are passed by list, both ways: what the store says of itself, and what a client says of the way it
    came (`Forwarded`, which would change the signed host), stay out. What the store serves is never run by a
    browser here.
    """

    def __init__(self, blobs: Blobs, *, connections: int = 64) -> None:
        self._endpoint = blobs.origins.endpoint
        self._prefix = f"/{blobs.origins.bucket}/".encode()
        self._host = urlsplit(blobs.origins.signed).netloc
        self._client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(_IDLE, connect=3.0, pool=5.0),
            limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=8),
            trust_env=False,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError("/blobs serves HTTP only")
        request = Request(scope, receive)
        response = await self._answer(request)
        try:
            await response(scope, receive, send)
        except (httpx2.HTTPError, ClientDisconnect) as error:
            # The head is out: all that is left is to end the connection early, which the length gives away.
            log.warning("blobs.broken_off", path=scope["path"], error=type(error).__name__)
            raise

    async def _answer(self, request: Request) -> Response:
        path = _path_below(request.scope)
        if request.method not in _METHODS:
            return _refused(405, "Objects are read with GET or HEAD and written with PUT.")
        if not path.startswith(self._prefix) or b"X-Amz-Signature=" not in request.scope["query_string"]:
            return _refused(403, "This address needs a signature; ask the API for a fresh link.")
        query = request.scope["query_string"].decode("latin-1")
        headers = {name: value for name in _PASSED_IN if (value := request.headers.get(name)) is not None}
        headers |= {"Host": self._host, "Accept-Encoding": "identity"}
        outgoing = self._client.build_request(
            request.method,
            f"{self._endpoint}{path.decode('latin-1')}?{query}",
            headers=headers,
            content=_body(request) if request.method == "PUT" else None,
        )
        try:
            answer = await self._client.send(outgoing, stream=True)
        except httpx2.TransportError as error:
            log.warning("blobs.away", error=str(error) or type(error).__name__)
            return _refused(
                503, "The object store does not answer; try again in a few seconds.", retry_after=3
            )
        if answer.status_code >= 400:
            await answer.aclose()
            return _refused(*_explain(answer.status_code))
        passed = {name: value for name in _PASSED_OUT if (value := answer.headers.get(name)) is not None}
        passed |= {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        }
        return StreamingResponse(_stream(answer), status_code=answer.status_code, headers=passed)


async def _body(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        if chunk:
            yield chunk


async def _stream(answer: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw(64 * 1024):
            yield chunk
    finally:
        await answer.aclose()


def _path_below(scope: Scope) -> bytes:
    """The path under the mount, spelled exactly as it was signed."""
    raw: bytes = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
    root = scope.get("root_path", "").encode()
    if root and raw.startswith(root):
        raw = raw[len(root) :]
    return raw.removeprefix(b"/blobs")


def _explain(status: int) -> tuple[int, str]:
    match status:
        case 403:
            return (
                403,
                "This link is no longer good: it has expired or was altered. Ask the API for a fresh one.",
            )
        case 404:
            return 404, "There is no such object (any more)."
        case 416:
            return 416, "The object is shorter than the range that was asked for."
        case 412:
            return 412, "The object is not the one that the condition names."
        case _:
            return (502, "The object store could not serve this.") if status >= 500 else (status, "Refused.")


def _refused(status: int, sentence: str, *, retry_after: int | None = None) -> Response:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Response(sentence + "\n", status_code=status, media_type="text/plain", headers=headers)
