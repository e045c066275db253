"""REST calls to the cloud as a device makes them: JSON in and out, one deadline, cancellable, no thread held.

The bytes go over asyncio streams; the standard library's own HTTP parser reads the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import http.client
import io
import socket
import ssl
import urllib.parse
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import msgspec

from .. import VERSION
from ..settings import split_address

_ANSWER_LIMIT = 1024 * 1024
_OUT_OF_TIME = (9, 10)
"""OpenSSL's words for not yet valid, and expired: mostly a device whose clock is wrong."""


class CallFailed(Exception):
    """No answer came. `str(error)` is a sentence for people."""


class NotThere(CallFailed):
    """A download that asking again in the same way cannot bring."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `body` is the decoded JSON, None when it was not JSON."""

    status: int
    body: object
    retry_after: float | None = None
    date: datetime | None = None
    """The other side's clock, if it said."""

    @property
    def object(self) -> dict[str, object]:
        """The body if it is a JSON object, else an empty one."""
        return cast(dict[str, object], self.body) if isinstance(self.body, dict) else {}

    @property
    def error(self) -> str:
        """What the cloud says is wrong: the problem's `error` or `detail`, else the status."""
        for name in ("error", "detail", "title"):
            text = self.object.get(name)
            if isinstance(text, str) and text:
                return text[:500]
        return f"HTTP {self.status}"


class CloudRest:
    """One cloud, `host:port` with or without TLS. Each call is a connection of its own: they are rare."""

    def __init__(self, address: str, *, tls: bool) -> None:
        host, port = split_address(address)
        self.host = host.strip("[]")
        self.port = port or (443 if tls else 80)
        self.authority = address
        self._tls = ssl.create_default_context() if tls else None

    @property
    def tls(self) -> ssl.SSLContext | None:
        """The context that verifies the cloud; None without TLS."""
        return self._tls

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        api_key: str = "",
        bearer: str = "",
        timeout: float = 10.0,
    ) -> Answer:
        """The answer, whatever its status. Raises CallFailed when none came within `timeout` seconds."""
        content = b"" if body is None else msgspec.json.encode(body)
        headers = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self.authority}",
            f"User-Agent: edgeflow-agent/{VERSION}",
            "Accept: application/json",
            "Connection: close",
        ]
        if body is not None:
            headers += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        if api_key:
            headers.append(f"X-API-Key: {api_key}")
        if bearer:
            headers.append(f"Authorization: Bearer {bearer}")
        request = "\r\n".join([*headers, "", ""]).encode() + content
        try:
            async with asyncio.timeout(timeout):
                return _parse(await self.exchange(request), method)
        except TimeoutError as error:
            raise CallFailed(f"{self.authority} did not answer within {timeout:g} s.") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CallFailed(explain_connection(error, self.authority, self._tls is not None)) from error

    async def exchange(self, request: bytes, limit: int = _ANSWER_LIMIT) -> bytes:
        """Send these bytes, and what came back until the other side closed. Raises OSError, ValueError."""
        reader, writer = await asyncio.open_connection(self.host, self.port, ssl=self._tls)
        try:
            writer.write(request)
            await writer.drain()
            received = bytearray()
            # A peer that ends TLS without its farewell still gave its answer; the parser sees if it is whole.
            with contextlib.suppress(ssl.SSLError, ConnectionResetError):
                while chunk := await reader.read(65536):
                    received += chunk
                    if len(received) > limit:
                        raise ValueError(f"the answer is larger than {limit / 2**20:g} MiB")
            return bytes(received)
        finally:
            writer.close()


async def download(url: str, *, limit: int, timeout: float = 60.0) -> bytes:
    """The content at an http(s) address, at most `limit` bytes; no redirects. Raises CallFailed, NotThere."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise NotThere("The address of the download is not one: it must begin with https:// or http://.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not target.isascii() or any(character <= " " for character in target):
        raise NotThere("The address of the download holds characters that no address can.")
    try:
        rest = CloudRest(parts.netloc, tls=parts.scheme == "https")
        head = (
            f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", f"User-Agent: edgeflow-agent/{VERSION}",
            "Accept: */*", "Accept-Encoding: identity", "Connection: close", "", "",
        )  # fmt: skip
        async with asyncio.timeout(timeout):
            received = await rest.exchange("\r\n".join(head).encode(), limit + 64 * 1024)
        response = http.client.HTTPResponse(cast(socket.socket, _Received(received)), method="GET")
        try:
            response.begin()
            content = response.read()
        finally:
            response.close()
    except TimeoutError as error:
        raise CallFailed(f"{parts.netloc} did not answer within {timeout:g} s.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CallFailed(explain_connection(error, parts.netloc, parts.scheme == "https")) from error
    if response.status in (401, 403, 404, 410):
        raise NotThere(f"{parts.netloc} does not give it out (HTTP {response.status}).")
    if response.status != 200:
        raise CallFailed(f"{parts.netloc} answered the download with HTTP {response.status}.")
    if len(content) > limit:
        raise NotThere(f"The download is larger than {limit} bytes.")
    return content


def explain_connection(error: Exception, authority: str, tls: bool) -> str:
    """Why no connection came about, and what to look at."""
    if isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in _OUT_OF_TIME:
        return (
            f"The certificate of {authority} is not good at this time ({error.verify_message}); this device's "
            f"clock says {datetime.now(UTC):%Y-%m-%d %H:%M} UTC. If that is wrong, turn on time synchronization "
            "(timedatectl set-ntp true)."
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"The certificate of {authority} is not trusted ({error.verify_message}). Use the name that "
            "is in it, "
            "or name its authority's file in SSL_CERT_FILE."
        )
    if isinstance(error, ssl.SSLError):
        return (
            f"{authority} does not speak TLS ({error.reason or error}). Without TLS set "
            "EDGEFLOW_SAAS_TLS=false."
        )
    if isinstance(error, socket.gaierror):
        return f"The name in {authority} is not known. Check EDGEFLOW_SAAS_URL and the network's DNS."
    if isinstance(error, ConnectionRefusedError):
        return f"Nothing listens at {authority}. Check EDGEFLOW_SAAS_URL, or wait until the cloud is back."
    if isinstance(error, OSError):
        return f"{authority} cannot be reached: {error.strerror or error}."
    hint = "" if tls else " If it expects TLS, leave EDGEFLOW_SAAS_TLS at true."
    return f"What answers at {authority} is not an EdgeFlow Cloud ({error}).{hint}"


class _Received:
    """As much of a socket as `http.client` asks for."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        del mode
        return io.BytesIO(self._data)


def _parse(received: bytes, method: str) -> Answer:
    response = http.client.HTTPResponse(cast(socket.socket, _Received(received)), method=method)
    try:
        response.begin()
        content = response.read()
    finally:
        response.close()
    retry_after: float | None = None
    with contextlib.suppress(ValueError):
        retry_after = float(response.getheader("Retry-After") or "")
    try:
        body: object = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = None
    return Answer(response.status, body, retry_after, _parse_date(response.getheader("Date")))


def _parse_date(header: str | None) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(header).astimezone(UTC) if header else None
    except ValueError:
        return None
