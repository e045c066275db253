"""The published local routes under /api/v1, each a few lines over what the agent offers (`LocalApi`)."""

from __future__ import annotations

import asyncio
import urllib.parse
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from .. import VERSION
from ..configuration import Change
from ..deploy import UpdateLock
from ..engine import Engine
from ..flows import FlowProblem, Flows
from ..link import CallFailed, NotReady
from ..pins import Pins
from ..provisioning import ClaimFailed, ClaimRefused
from ..settings import SettingsError
from ..state import StateError
from ..telemetry import Readings, system_info, system_report, system_stats
from .flow_routes import FlowRoutes
from .guard import Guard
from .http import Request, Response, Upgrade
from .live import LiveFeed
from .part_routes import PartRoutes
from .websocket import serve_door


class LocalApi(Protocol):
    """What the routes need of the agent. The dictionaries have the published fields."""

    readings: Readings
    pins: Pins

    @property
    def flows(self) -> Flows: ...
    @property
    def engine(self) -> Engine: ...
    @property
    def lock(self) -> UpdateLock: ...
    @property
    def feed(self) -> LiveFeed: ...
    async def set_lock(self, locked: bool, reason: str) -> None: ...
    def describe_config(self) -> dict[str, object]: ...
    async def change_config(self, change: Change) -> dict[str, object]: ...
    async def describe_status(self) -> dict[str, object]: ...
    async def provision(self, code: str) -> dict[str, object]: ...
    def connect(self) -> str: ...
    def disconnect(self) -> str: ...


class _Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    provisioning_code: str


class _Lock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    locked: bool
    reason: str = ""


_Handle = Callable[..., Awaitable[object]]
_PAGE = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Routes:
    """Finds the route, turns what is raised into `{"error": text}` with its status."""

    def __init__(self, agent: LocalApi, guard: Guard) -> None:
        self._agent = agent
        self._guard = guard
        flows, parts = FlowRoutes(agent.flows, agent.engine), PartRoutes(agent.flows)
        agent.engine.doors.served = True
        agent.feed.pins = agent.pins.describe_locally
        api = "/api/v1"
        self._table: dict[str, dict[str, _Handle]] = {
            f"{api}/saas/config": {"GET": self._config, "PUT": self._change_config},
            f"{api}/saas/status": {"GET": self._status},
            f"{api}/saas/provision": {"POST": self._provision},
            f"{api}/saas/connect": {"POST": self._connect},
            f"{api}/saas/disconnect": {"POST": self._disconnect},
            f"{api}/health": {"GET": self._health},
            "/api/health": {"GET": self._health},
            f"{api}/system/info": {"GET": self._system_info},
            f"{api}/resources/stats": {"GET": self._resources_stats},
            f"{api}/resources/report": {"GET": self._resources_report},
            f"{api}/gpio/state": {"GET": self._gpio_state},
            f"{api}/update-lock": {"GET": self._show_lock, "PUT": self._set_lock},
            f"{api}/flows": {"GET": flows.list_flows, "POST": flows.create_flow},
            f"{api}/executions": {"GET": flows.list_executions},
            f"{api}/node-types": {"GET": flows.list_node_types},
            f"{api}/flows/*": {"GET": flows.get_flow, "PUT": flows.update_flow, "DELETE": flows.delete_flow},
            f"{api}/flows/*/start": {"POST": flows.start_flow},
            f"{api}/flows/*/stop": {"POST": flows.stop_flow},
            f"{api}/flows/*/rollback": {"POST": flows.roll_back_flow},
            f"{api}/flows/*/nodes": {"GET": parts.list_nodes, "POST": parts.create_node},
            f"{api}/flows/*/nodes/*": {
                "GET": parts.get_node,
                "PUT": parts.update_node,
                "DELETE": parts.delete_node,
            },
            f"{api}/flows/*/connections": {"GET": parts.list_connections, "POST": parts.create_connection},
            f"{api}/flows/*/connections/*": {
                "GET": parts.get_connection,
                "PUT": parts.update_connection,
                "DELETE": parts.delete_connection,
            },
            f"{api}/executions/*": {"GET": flows.get_execution},
            f"{api}/node-types/*": {"GET": flows.get_node_type},
            **{path: {"GET": self._page} for path in _PAGE},
        }

    async def handle(self, request: Request) -> Response | Upgrade:
        """The answer to any request that was well-formed."""
        refusal = self._guard.refuse(request)
        if refusal is not None:
            return refusal
        if request.path == "/ws":
            if not request.upgrades:
                return Response(426, {"error": "Open a WebSocket here."}, {"Upgrade": "websocket"})
            return Upgrade()
        if (door := self._agent.engine.doors.find(request.path)) is not None:
            if not request.upgrades:
                return Response(426, {"error": "A flow opens a WebSocket here."}, {"Upgrade": "websocket"})
            return Upgrade(partial(serve_door, door))
        methods, values = self._find(request.path)
        if methods is None:
            return _error(
                404, f"There is nothing at {request.path[:100]}. This agent ({VERSION}) has no such route."
            )
        handle = methods.get("GET" if request.method == "HEAD" else request.method)
        if handle is None:
            allowed = ", ".join(methods)
            return Response(405, {"error": f"Use {allowed} here, not {request.method}."}, {"Allow": allowed})
        if request.body and not _is_json(request):
            return _error(415, "Send the body as application/json.")
        try:
            answer = await handle(request, *values)
            return answer if isinstance(answer, Response) else Response(200, answer)
        except (msgspec.ValidationError, SettingsError) as error:
            return _error(400, str(error))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _error(400, f"The body is not JSON: {error}.")
        except ClaimRefused as error:
            return _error(400, str(error))
        except FlowProblem as error:
            return _error(404 if error.missing else 400, str(error))
        except NotReady as error:
            return _error(409, error.detail)
        except (ClaimFailed, CallFailed) as error:
            return _error(502, str(error))
        except StateError as error:
            return _error(507 if "full" in str(error) else 500, str(error))

    def _find(self, path: str) -> tuple[dict[str, _Handle] | None, list[str]]:
        """The route's methods, and what stands where it has a `*`."""
        path = path.rstrip("/") or "/"
        exact = self._table.get(path)
        if exact is not None:
            return exact, []
        parts = path.split("/")
        # /api/v1/noun/ID[/verb] or /api/v1/noun/ID/part/ID: the fifth and the seventh part are what varies.
        if len(parts) not in (5, 6, 7) or not all(parts[4::2]):
            return None, []
        values = [urllib.parse.unquote(part) for part in parts[4::2]]
        parts[4::2] = ["*"] * len(values)
        return self._table.get("/".join(parts)), values

    async def _page(self, request: Request) -> object:
        name, kind = _PAGE[request.path]
        data = (Path(__file__).parent / "page" / name).read_bytes()
        return Response(
            200,
            data,
            {"Content-Type": kind, "Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"},
        )

    async def _config(self, request: Request) -> object:
        del request
        return self._agent.describe_config()

    async def _change_config(self, request: Request) -> object:
        change = msgspec.json.decode(request.body, type=Change)
        return {"message": "Configuration saved."} | await self._agent.change_config(change)

    async def _status(self, request: Request) -> object:
        del request
        return await self._agent.describe_status()

    async def _provision(self, request: Request) -> object:
        code = msgspec.json.decode(request.body, type=_Code).provisioning_code.strip()
        if not code or len(code) > 128 or not code.isprintable():
            raise SettingsError("provisioning_code is not a provisioning code. It looks like PROV-A1B2-C3D4.")
        return await self._agent.provision(code)

    async def _connect(self, request: Request) -> object:
        del request
        return {"message": self._agent.connect()}

    async def _disconnect(self, request: Request) -> object:
        del request
        return {"message": self._agent.disconnect()}

    async def _health(self, request: Request) -> object:
        del request
        return {
            "status": "healthy",
            "service": "edgeflow-agent",
            "version": VERSION,
            "websocket_clients": self._agent.feed.watchers,
        }

    async def _system_info(self, request: Request) -> object:
        del request
        return await asyncio.to_thread(system_info, self._agent.readings)

    async def _resources_stats(self, request: Request) -> object:
        del request
        return await asyncio.to_thread(system_stats, self._agent.readings, len(asyncio.all_tasks()))

    async def _resources_report(self, request: Request) -> object:
        del request
        return await asyncio.to_thread(system_report, len(asyncio.all_tasks()))

    async def _gpio_state(self, request: Request) -> object:
        del request
        return self._agent.pins.describe_locally()

    async def _show_lock(self, request: Request) -> object:
        del request
        lock = self._agent.lock
        return {"locked": lock.locked, "reason": lock.reason}

    async def _set_lock(self, request: Request) -> object:
        wanted = msgspec.json.decode(request.body, type=_Lock)
        await self._agent.set_lock(wanted.locked, wanted.reason)
        return await self._show_lock(request)


def _is_json(request: Request) -> bool:
    """Also against forms: a page elsewhere can send those without asking, but no JSON."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _error(status: int, sentence: str) -> Response:
    return Response(status, {"error": sentence})
