"""`GET /metrics`: what this process measures of itself, for its own machine, or for who shows the token."""

import hmac
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.observability.metrics import CONTENT_TYPE, render_metrics

_PROXIED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


async def show_metrics(request: Request) -> Response:
    """The registry. From loopback without a proxy in between nothing is asked; else the bearer token of
    EDGEFLOW_METRICS_TOKEN, without which nobody else is let in.
    """
    context: Context = request.app.state.context
    token = context.settings.metrics_token
    shown = request.headers.get("authorization", "")
    if not _is_own_machine(request) and not (
        token and hmac.compare_digest(shown.encode(), f"Bearer {token.reveal()}".encode())
    ):
        return PlainTextResponse(
            "Scrape from the machine itself, or set EDGEFLOW_METRICS_TOKEN and send it as a bearer token.\n",
            401,
            {"WWW-Authenticate": "Bearer"},
        )
    return Response(render_metrics(), media_type=CONTENT_TYPE)


def _is_own_machine(request: Request) -> bool:
    """A proxy on this machine is loopback, too: whoever came through one is not."""
    if request.client is None or any(name in request.headers for name in _PROXIED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
