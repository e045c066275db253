"""http-request: ask a web server."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from typing import TYPE_CHECKING, Annotated, Literal, cast
from urllib.parse import quote, urlencode

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ...duration import read_duration
from ...javalike import to_text
from ...message import Message
from ...node import Node, NodeConfig, NodeError
from ...properties import MISSING, Path

if TYPE_CHECKING:
    import httpx2

LIMIT = 8 * 1024 * 1024
_PLACE = re.compile(r"\{\{\{?\s*([^{}]+?)\s*\}?\}\}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class OAuth2(NodeConfig):
    """How to get a bearer token."""

    token_url: str = ""
    client_id: str = ""
    client_secret: str = ""
    scope: str = ""
    grant_type: Literal["client_credentials", "password", "refresh_token"] = "client_credentials"
    username: str = ""
    password: str = ""
    refresh_token: str = ""
    extra_params: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class HttpRequestConfig(NodeConfig):
    """Field runtime's keys; `ret`, `paytoqs` and `senderr` are Node-RED's, and make the answer Node-RED's."""

    method: Annotated[str, Meta(title="Method", description="`use`: the message's `method`")] = "GET"
    url: Annotated[str, Meta(title="Address", description="`{{path}}` of the message may stand in it")] = ""
    headers: Annotated[dict[str, object] | list[dict[str, object]], Meta(title="Headers")] = msgspec.field(
        default_factory=dict[str, object]
    )
    timeout: Annotated[str | float, Meta(title="Time limit (seconds)")] = 30
    retry_count: Annotated[int, Meta(title="Repeats after a failure", ge=0, le=20)] = 0
    retry_delay: Annotated[str | float, Meta(title="Wait between them (ms)")] = 1000
    follow_redirect: Annotated[bool, Meta(title="Follow redirects")] = True
    use_cookies: Annotated[bool, Meta(title="Keep cookies")] = False
    proxy_url: Annotated[str, Meta(title="Proxy")] = ""
    proxy_username: str = ""
    proxy_password: Annotated[str, Meta(extra_json_schema={"format": "password"})] = ""
    ca_cert_path: Annotated[str, Meta(title="Certificates of the server's authority (file)")] = ""
    insecure_skip_tls: Annotated[bool, Meta(title="Do not check the server's certificate")] = False
    basic_auth_username: Annotated[str, Meta(title="User name")] = ""
    basic_auth_password: Annotated[str, Meta(title="Password", extra_json_schema={"format": "password"})] = ""
    oauth2: Annotated[OAuth2 | None, Meta(title="OAuth 2")] = None
    ret: (
        Annotated[Literal["txt", "obj", "bin"], Meta(title="Answer as", description="Node-RED's")] | UnsetType
    ) = UNSET
    paytoqs: Annotated[Literal["ignore", "query", "body"], Meta(title="Payload of a GET")] = "ignore"
    senderr: Annotated[bool, Meta(title="Answers from 400 on are errors")] = False


class HttpRequest(Node[HttpRequestConfig]):
    """Sends a request and what came back: `payload.statusCode headers body duration`, or Node-RED's `payload
    statusCode headers` where `ret` is set."""

    type = "http-request"
    category = "function"
    group = "network"
    concurrency = 8
    Config = HttpRequestConfig

    async def start(self) -> None:
        import httpx2

        self._client: httpx2.AsyncClient | None = None
        config = self.config
        proxy = None
        if config.proxy_url:
            auth = (config.proxy_username, config.proxy_password) if config.proxy_username else None
            proxy = httpx2.Proxy(config.proxy_url, auth=auth)
        self._token: tuple[str, float] = ("", 0.0)
        self._asking = asyncio.Lock()
        self._client = httpx2.AsyncClient(
            verify=_verify(config),
            proxy=proxy,
            follow_redirects=config.follow_redirect,
            timeout=read_duration(config.timeout or 30, "seconds"),
            trust_env=False,
            headers={"User-Agent": "edgeflow-agent"},
        )

    async def stop(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def receive(self, message: Message) -> None:
        import httpx2

        config = self.config
        began = time.monotonic()
        last: Exception | None = None
        for attempt in range(config.retry_count + 1):
            if attempt:
                await asyncio.sleep(read_duration(config.retry_delay, "ms"))
            try:
                status, headers, body, url = await self._ask(message)
            except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
                last = error
                continue
            if status >= 500 and attempt < config.retry_count:
                continue
            self._tell(message, status, headers, body, url, time.monotonic() - began)
            return
        text = f"{type(last).__name__}: {last}" if last is not None and str(last) else type(last).__name__
        raise NodeError(f"No answer from {self._address(message)}: {text}.")

    async def _ask(self, message: Message) -> tuple[int, dict[str, str], bytes, str]:
        config = self.config
        method = str(message.get("method") or "GET") if config.method == "use" else config.method
        method = method.upper()
        if method not in _METHODS:
            raise NodeError(f"{method!r} is no method. Use one of {', '.join(sorted(_METHODS))}.")
        url, headers = self._address(message), self._headers(message)
        content: bytes | None = None
        payload = message.get("payload")
        if method in ("GET", "HEAD") and config.paytoqs == "query" and isinstance(payload, dict):
            query = urlencode(
                {key: to_text(value) for key, value in cast("dict[str, object]", payload).items()}
            )
            url += ("&" if "?" in url else "?") + query
        if (method not in ("GET", "HEAD") or config.paytoqs == "body") and payload is not None:
            content = payload if isinstance(payload, bytes) else to_text(payload).encode()
            if isinstance(payload, (dict, list)):
                headers.setdefault("content-type", "application/json")
        client = self._opened()
        if not config.use_cookies:
            client.cookies.clear()
        if config.oauth2 is not None and config.oauth2.token_url:
            async with self._asking:
                headers["authorization"] = f"Bearer {await self._get_token(config.oauth2)}"
        auth = (
            (config.basic_auth_username, config.basic_auth_password) if config.basic_auth_username else None
        )
        async with client.stream(method, url, headers=headers, content=content, auth=auth) as answer:
            data = bytearray()
            async for chunk in answer.aiter_bytes():
                data += chunk
                if len(data) > LIMIT:
                    raise NodeError(f"The answer of {url} has more than {LIMIT >> 20} MiB.")
            return answer.status_code, dict(answer.headers), bytes(data), str(answer.url)

    def _opened(self) -> httpx2.AsyncClient:
        if self._client is None:
            raise NodeError("The node has stopped.")
        return self._client

    def _tell(
        self, message: Message, status: int, headers: dict[str, str], body: bytes, url: str, seconds: float
    ) -> None:
        config = self.config
        if config.ret is UNSET:
            message["payload"] = {
                "statusCode": status,
                "headers": headers,
                "body": _read(body, headers),
                "duration": round(seconds * 1000),
            }
        else:
            message |= {"statusCode": status, "headers": headers, "responseUrl": url}
            message["payload"] = body if config.ret == "bin" else body.decode(errors="replace")
            if config.ret == "obj":
                try:
                    message["payload"] = msgspec.json.decode(body)
                except msgspec.DecodeError as error:
                    self.error(NodeError(f"The answer of {url} is not JSON: {error}."), self.clone(message))
        if status >= 400 and config.senderr:
            raise NodeError(f"{url} answered {status}.")
        self.send(message)

    def _address(self, message: Message) -> str:
        found = _fill(self.config.url, message) or message.get("url")
        if not isinstance(found, str) or not found:
            raise NodeError("There is no address. Give the node a `url`, or the message.")
        return found if "://" in found else f"http://{found}"

    def _headers(self, message: Message) -> dict[str, str]:
        written = self.config.headers
        if isinstance(written, list):  # Node-RED: keyType keyValue valueType valueValue
            written = {
                str(entry.get("keyValue") or entry.get("keyType")): entry.get("valueValue")
                or entry.get("valueType")
                for entry in written
            }
        headers = {key.lower(): to_text(value) for key, value in written.items()}
        given = message.get("headers")
        if isinstance(given, dict):
            headers = {
                str(k).lower(): to_text(v) for k, v in cast("dict[object, object]", given).items()
            } | headers
        return {key: value for key, value in headers.items() if key not in ("host", "content-length")}

    async def _get_token(self, oauth: OAuth2) -> str:
        token, until = self._token
        if token and time.monotonic() < until:
            return token
        form = {
            "grant_type": oauth.grant_type,
            "client_id": oauth.client_id,
            "client_secret": oauth.client_secret,
        }
        form |= {"scope": oauth.scope} if oauth.scope else {}
        if oauth.grant_type == "password":
            form |= {"username": oauth.username, "password": oauth.password}
        if oauth.grant_type == "refresh_token":
            form["refresh_token"] = oauth.refresh_token
        answer = await self._opened().post(oauth.token_url, data={**form, **oauth.extra_params})
        try:
            body = cast("dict[str, object]", msgspec.json.decode(answer.content))
            token = str(body["access_token"])
        except (msgspec.DecodeError, KeyError, TypeError):
            raise NodeError(f"{oauth.token_url} gave no token: {answer.status_code}.") from None
        lasts = body.get("expires_in")
        self._token = (
            token,
            time.monotonic() + (float(lasts) - 30 if isinstance(lasts, (int, float)) else 300),
        )
        return token


def _fill(url: str, message: Message) -> str:
    """`{{path}}` is the message's value with what an address must not hold escaped; `{{{path}}}` as it is."""

    def put(found: re.Match[str]) -> str:
        raw = found[0].startswith("{{{")
        value = Path(found[1].strip().removeprefix("msg.")).get(message)
        text = "" if value is MISSING or value is None else to_text(value)
        return text if raw else quote(text, safe="/:?&=%@+,;~")

    return _PLACE.sub(put, url)


def _read(body: bytes, headers: dict[str, str]) -> object:
    kind = headers.get("content-type", "")
    if "json" in kind:
        try:
            return msgspec.json.decode(body)
        except msgspec.DecodeError:
            return body.decode(errors="replace")
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _verify(config: HttpRequestConfig) -> ssl.SSLContext | bool:
    if config.insecure_skip_tls:
        return False
    if config.ca_cert_path:
        try:
            return ssl.create_default_context(cafile=config.ca_cert_path)
        except OSError as error:
            raise NodeError(f"{config.ca_cert_path} cannot be read: {error}.") from None
    return True
