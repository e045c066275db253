"""http-in, http-webhook and http-response: a flow that answers web requests."""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import Mapping
from typing import Annotated, Literal, cast
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta

from ...javalike import to_number, to_text
from ...message import Message, new_message
from ...node import Node, NodeConfig, NodeError
from .listener import Listener, Request, Response, Route

PATIENCE = 30.0
_WAITING = 200


class HttpInConfig(NodeConfig):
    """Field runtime's keys, and Node-RED's `url`."""

    path: Annotated[str, Meta(title="Path", examples=["/orders/:number"])] = ""
    url: str = ""
    method: Annotated[str, Meta(title="Method", description="ALL takes each")] = "ALL"
    auth_type: Annotated[Literal["none", "basic", "bearer", "apikey"], Meta(title="Who may call")] = "none"
    auth_value: Annotated[
        str,
        Meta(
            title="Secret",
            description="basic: user:password; else the token or the key",
            extra_json_schema={"format": "password"},
        ),
    ] = ""
    raw_body: Annotated[bool, Meta(title="Body as it came")] = False
    cors: Annotated[bool, Meta(title="Pages of other sites may call")] = False


class Handle:
    """The open answer of one request, in `message["res"]`; whoever answers first wins."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    def answer(self, response: Response) -> bool:
        """False: it was answered, or nobody waits any more."""
        if self.answered.done():
            return False
        self.answered.set_result(response)
        return True


class HttpIn(Node[HttpInConfig]):
    """Serves a path of this device and sends what was asked; an http-response node answers it."""

    type = "http-in"
    category = "input"
    group = "network"
    inputs = 0
    Config = HttpInConfig
    at_once = False
    """Whether 200 is answered before the flow runs."""

    async def start(self) -> None:
        self._route: Route | None = None
        self._waiting = 0
        path = self.config.path or self.config.url
        if not path:
            raise NodeError(f"This {self.type} node needs a path, for example /orders.")
        if self.config.auth_type != "none" and not self.config.auth_value:
            raise NodeError("Give the secret that callers must know, or let everybody call.")
        self._route = await Listener.add(self.config.method, path, self._answer)

    async def stop(self) -> None:
        if self._route is not None:
            await Listener.remove(self._route)

    async def _answer(self, request: Request, params: Mapping[str, str]) -> Response:
        cors = {"access-control-allow-origin": "*"} if self.config.cors else {}
        if not self._allowed(request):
            return Response(
                401, {"www-authenticate": "Basic" if self.config.auth_type == "basic" else "Bearer", **cors}
            )
        if self._waiting >= _WAITING:
            return Response(503, {"retry-after": "1", **cors}, b"The flow has too much to do.")
        self._waiting += 1
        try:
            handle = Handle()
            message = self._make(request, params, handle)
            await self.room()
            self.send(message)
            if self.at_once:
                own = {"content-type": "application/json", **cors, **self.answer_headers()}
                return Response(200, own, b'{"status":"ok"}')
            async with asyncio.timeout(PATIENCE):
                response = await handle.answered
            response.headers = {**cors, **response.headers}
            return response
        except TimeoutError:
            return Response(504, cors, b"The flow did not answer in time.")
        finally:
            self._waiting -= 1

    def answer_headers(self) -> dict[str, str]:
        """What an answer at once carries beside its own headers."""
        return {}

    def _make(self, request: Request, params: Mapping[str, str], handle: Handle) -> Message:
        query = {
            key: values[0] if len(values) == 1 else values
            for key, values in parse_qs(request.query, keep_blank_values=True).items()
        }
        body = request.body if self.config.raw_body else _read_body(request)
        req: dict[str, object] = {
            "method": request.method,
            "path": request.path,
            "params": dict(params),
            "query": query,
            "headers": dict(request.headers),
            "body": body,
            "ip": request.address,
        }
        payload: object = query if request.method in ("GET", "HEAD") else body
        return new_message(payload, req=req, res=handle)

    def _allowed(self, request: Request) -> bool:
        config, headers = self.config, request.headers
        if config.auth_type == "none":
            return True
        given = headers.get("authorization", "")
        if config.auth_type == "basic":
            known = "Basic " + base64.b64encode(config.auth_value.encode()).decode()
        elif config.auth_type == "bearer":
            known = f"Bearer {config.auth_value}"
        else:
            given, known = headers.get("x-api-key", ""), config.auth_value
        return hmac.compare_digest(given.encode(), known.encode())


class HttpWebhookConfig(HttpInConfig):
    """`headers` are those of the answer."""

    headers: Annotated[dict[str, object], Meta(title="Headers of the answer")] = msgspec.field(
        default_factory=dict[str, object]
    )


class HttpWebhook(HttpIn):
    """Serves a path and answers 200 at once, then sends what came."""

    type = "http-webhook"
    at_once = True
    Config = HttpWebhookConfig

    def answer_headers(self) -> dict[str, str]:
        config = cast(HttpWebhookConfig, self.config)
        return {name.lower(): to_text(value) for name, value in config.headers.items()}


class HttpResponseConfig(NodeConfig):
    """`statusCode` and `headers`; those of the message win where the node has none."""

    status_code: Annotated[str | float, Meta(title="Status")] = ""
    headers: Annotated[dict[str, object], Meta(title="Headers")] = msgspec.field(
        default_factory=dict[str, object]
    )


class HttpResponse(Node[HttpResponseConfig]):
    """Answers the request that an http-in node sent, with the payload."""

    type = "http-response"
    category = "output"
    group = "network"
    outputs = 0
    Config = HttpResponseConfig

    def receive(self, message: Message) -> None:
        handle = message.get("res")
        if not isinstance(handle, Handle):
            raise NodeError("The message does not come from an http-in node, so there is nobody to answer.")
        wanted = (
            self.config.status_code
            if self.config.status_code not in ("", 0)
            else message.get("statusCode", 200)
        )
        status = to_number(wanted)
        if not 200 <= status <= 599:
            raise NodeError(f"{wanted!r} is no status. Use 200 to 599.")
        headers: dict[str, object] = {}
        given = message.get("headers")
        if isinstance(given, dict):
            headers |= {str(key): value for key, value in given.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        headers |= self.config.headers
        payload = message.get("payload")
        if isinstance(payload, bytes):
            body, kind = payload, "application/octet-stream"
        else:
            body = b"" if payload is None else to_text(payload).encode()
            kind = "application/json" if isinstance(payload, (dict, list)) else "text/html; charset=utf-8"
        known = {name.lower(): to_text(value) for name, value in headers.items()}
        known = {name: value for name, value in known.items() if name not in _OURS}
        known.setdefault("content-type", kind)
        if not handle.answer(Response(int(status), known, body)):
            self.log("The request was answered before, or its caller has gone.", "debug")


_OURS = frozenset({"content-length", "transfer-encoding", "connection", "host"})


def _read_body(request: Request) -> object:
    kind = request.headers.get("content-type", "")
    if "json" in kind:
        try:
            return msgspec.json.decode(request.body) if request.body else {}
        except msgspec.DecodeError:
            return request.body.decode(errors="replace")
    if "x-www-form-urlencoded" in kind:
        form = parse_qs(request.body.decode(errors="replace"), keep_blank_values=True)
        return {key: values[0] if len(values) == 1 else values for key, values in form.items()}
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        return request.body
