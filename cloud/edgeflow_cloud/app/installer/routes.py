"""`/install.sh` and `/install/…`: open to everybody, like the login page; there is nothing secret in them."""

from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from edgeflow_cloud.app.installer.packing import NotInstalled
from edgeflow_cloud.app.installer.wheelhouse import CannotFetch, UnknownKind, Wheelhouse
from edgeflow_cloud.infra.settings import Settings

_SCRIPT = Path(__file__).parent / "install.sh"


def install_routes(settings: Settings) -> list[Route]:
    """The routes, over a wheelhouse in the data folder."""
    wheelhouse = Wheelhouse(settings.data_dir.absolute() / "cache" / "wheels")

    async def show_script(_request: Request) -> Response:
        """`sh` reads it: so everything in it that is not fixed is quoted."""
        url = settings.public_url.rstrip("/")
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        text = _SCRIPT.read_text()
        for name, value in (
            ("__BASE__", url),
            ("__ADDRESS__", f"{host}:{port}"),
            ("__TLS__", "true" if parts.scheme == "https" else "false"),
        ):
            text = text.replace(f"'{name}'", _quote(value))
        return PlainTextResponse(text, headers={"Cache-Control": "no-store"})

    async def list_wheels(request: Request) -> Response:
        try:
            wheels = await wheelhouse.list_wheels(
                request.path_params["machine"], request.path_params["python"]
            )
        except UnknownKind as error:
            return JSONResponse({"error": str(error)}, 404)
        except (CannotFetch, NotInstalled) as error:
            return JSONResponse({"error": str(error)}, 503, headers={"Retry-After": "60"})
        shown = [{"name": wheel.name, "size": wheel.size, "sha256": wheel.sha256} for wheel in wheels]
        return JSONResponse({"files": shown}, headers={"Cache-Control": "no-store"})

    async def send_wheel(request: Request) -> Response:
        kind = request.path_params
        try:
            path = wheelhouse.find_wheel(kind["machine"], kind["python"], kind["name"])
        except UnknownKind as error:
            return JSONResponse({"error": str(error)}, 404)
        if path is None:
            return JSONResponse({"error": "There is no such file (any more). Run the installer again."}, 404)
        return FileResponse(
            path, media_type="application/octet-stream", headers={"Cache-Control": "no-store"}
        )

    return [
        Route("/install.sh", show_script),
        Route("/install/{machine}/{python}", list_wheels),
        Route("/install/{machine}/{python}/{name}", send_wheel),
    ]


def _quote(text: str) -> str:
    """One word for `sh`, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"
