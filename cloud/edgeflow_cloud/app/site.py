"""Everything that the one port serves beside the tunnel: REST, `/live`, `/blobs`, the installer, the console."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from edgeflow_cloud.app import live
from edgeflow_cloud.app.api import PREFIX, create_api, openapi_document
from edgeflow_cloud.app.installer import install_routes
from edgeflow_cloud.app.platform_metrics import show_metrics
from edgeflow_cloud.infra.blobs import BlobProxy
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.http.middleware import Envelope
from edgeflow_cloud.infra.subsystem import Subsystem

CONSOLE = Path(__file__).parent / "console"
"""Where the console's build lies: made by `make`, shipped in the wheel."""
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_ASK_AGAIN = {"Cache-Control": "no-cache"}


class Site:
    """The ASGI application of the api role: the API under `/api/`, pages and sockets elsewhere."""

    def __init__(self, api: ASGIApp, pages: ASGIApp) -> None:
        self._api = api
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chosen = self._api if scope.get("path", "").startswith("/api/") else self._pages
        await chosen(scope, receive, send)


def create_site(context: Context, subsystems: Sequence[Subsystem], blobs: BlobProxy) -> Site:
    """Put the parts together. Raises UnguardedRoute."""
    api = create_api(context, subsystems)
    document = msgspec.json.encode(openapi_document(api))

    async def show_openapi(_request: Request) -> Response:
        return Response(document, media_type="application/json")

    api.add_route(f"{PREFIX}/openapi.json", show_openapi)
    pages = Starlette(
        routes=[
            WebSocketRoute("/live", live.serve_live),
            Mount("/blobs", blobs),
            Route("/metrics", show_metrics),
            *install_routes(context.settings),
            Route("/{path:path}", show_page),
        ],
        middleware=[Middleware(Envelope)],
    )
    pages.state.context = context
    return Site(api, pages)


async def show_page(request: Request) -> Response:
    """A file of the console's build; any other address is a page of the console's own router."""
    if not (CONSOLE / "index.html").is_file():
        return PlainTextResponse("The console is not built here: run `make up`. The API is at /api/v1.", 503)
    wanted = _file(request.path_params["path"])
    if wanted is not None:
        return FileResponse(wanted, headers=_FOR_EVER if "assets" in wanted.parts else _ASK_AGAIN)
    if request.path_params["path"] == "docs":
        return FileResponse(CONSOLE / "docs.html", headers=_ASK_AGAIN)
    return FileResponse(CONSOLE / "index.html", headers=_ASK_AGAIN)


def _file(path: str) -> Path | None:
    """The file of the build at this path, None when there is none or no file can be called so."""
    try:
        wanted = (CONSOLE / path).resolve()
        return wanted if wanted.is_relative_to(CONSOLE.resolve()) and wanted.is_file() else None
    except (OSError, ValueError):  # too long, or with a NUL in it
        return None
