"""Who may speak to the local API.

Without a token it listens on loopback only, and trusts every program on the device, but no web page: a page
that a browser loaded elsewhere betrays itself by its Origin, and one that points its own name at us by its
Host.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Collection

from .http import Request, Response

_OPEN_PATHS = ("/api/v1/health", "/api/health", "/", "/page.js", "/page.css")
"""The page itself says nothing of the device; what it shows it asks for with the token."""
_BEARER = "bearer."


class Guard:
    """`refuse` is asked before every request. `token` empty: none is needed."""

    def __init__(self, token: str, names: Collection[str] = ()) -> None:
        self._token = token.encode()
        own = socket.gethostname().lower()
        self._names = {"localhost", *(name.lower() for name in names)}
        if token:
            self._names |= {own, f"{own}.local"}

    def refuse(self, request: Request) -> Response | None:
        """The refusal, or None to let the request in."""
        host = request.headers.get("host", "")
        if host and not self._is_ours(host):
            return _refusal(
                421, f"This API does not answer to the name {host[:100]!r}. Use the device's address."
            )
        origin = request.headers.get("origin")
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            return _refusal(403, "A web page from another place may not use this API.")
        site = request.headers.get("sec-fetch-site", "same-origin")
        if site not in ("same-origin", "none"):
            return _refusal(403, "A web page from another place may not use this API.")
        if self._token and request.path not in _OPEN_PATHS and not self._authorized(request):
            answer = _refusal(
                401, "This API needs its token: send Authorization: Bearer with EDGEFLOW_API_TOKEN."
            )
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        return None

    def _is_ours(self, host: str) -> bool:
        name = host.lower()
        if name.startswith("["):
            name, _, port = name[1:].partition("]")
            port = port.removeprefix(":")
        else:
            name, _, port = name.partition(":")
        if port and not (port.isascii() and port.isdigit()):
            return False
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        # An address cannot be rebound by a name server. Without a token we are on loopback, so only that is
        # ours.
        return bool(self._token) or address.is_loopback

    def _authorized(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if not scheme and request.upgrades:
            # A browser cannot send the header with a WebSocket: it names the token beside the protocol.
            offered = (name.strip() for name in request.headers.get("sec-websocket-protocol", "").split(","))
            scheme, given = "bearer", next((name for name in offered if name.startswith(_BEARER)), "")
            given = given.removeprefix(_BEARER)
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._token)


def _refusal(status: int, sentence: str) -> Response:
    return Response(status, {"error": sentence})
