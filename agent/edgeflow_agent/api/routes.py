"""The published local routes under /api/v1, each a few lines over what the agent offers (`LocalApi`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from .. import VERSION
from ..configuration import Change
from ..link import NotReady
from ..provisioning import ClaimFailed, ClaimRefused
from ..settings import SettingsError
from ..state import StateError
from ..telemetry import Readings, system_info, system_stats
from .guard import Guard
from .http import Request, Response


class LocalApi(Protocol):
    """What the routes need of the agent. The dictionaries have the published fields."""

    readings: Readings

    def describe_config(self) -> dict[str, object]: ...
    async def change_config(self, change: Change) -> dict[str, object]: ...
    async def describe_status(self) -> dict[str, object]: ...
    async def provision(self, code: str) -> dict[str, object]: ...
    def connect(self) -> str: ...
    def disconnect(self) -> str: ...


class _Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    provisioning_code: str


_Handle = Callable[[Request], Awaitable[object]]


class Routes:
    """Finds the route, turns what is raised into `{"error": text}` with its status."""

    def __init__(self, agent: LocalApi, guard: Guard) -> None:
        self._agent = agent
        self._guard = guard
        saas = "/api/v1/saas"
        self._table: dict[str, dict[str, _Handle]] = {
            f"{saas}/config": {"GET": self._config, "PUT": self._change_config},
            f"{saas}/status": {"GET": self._status},
            f"{saas}/provision": {"POST": self._provision},
            f"{saas}/connect": {"POST": self._connect},
            f"{saas}/disconnect": {"POST": self._disconnect},
            "/api/v1/health": {"GET": self._health},
            "/api/health": {"GET": self._health},
            "/api/v1/system/info": {"GET": self._system_info},
            "/api/v1/resources/stats": {"GET": self._resources_stats},
        }

    async def handle(self, request: Request) -> Response:
        """The answer to any request that was well-formed."""
        refusal = self._guard.refuse(request)
        if refusal is not None:
            return refusal
        methods = self._table.get(request.path.rstrip("/") or "/")
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
            return Response(200, await handle(request))
        except (msgspec.ValidationError, SettingsError) as error:
            return _error(400, str(error))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _error(400, f"The body is not JSON: {error}.")
        except ClaimRefused as error:
            return _error(400, str(error))
        except NotReady as error:
            return _error(409, error.detail)
        except ClaimFailed as error:
            return _error(502, str(error))
        except StateError as error:
            return _error(507 if "full" in str(error) else 500, str(error))

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
        return {"status": "healthy", "service": "edgeflow-agent", "version": VERSION, "websocket_clients": 0}

    async def _system_info(self, request: Request) -> object:
        del request
        return await asyncio.to_thread(system_info, self._agent.readings)

    async def _resources_stats(self, request: Request) -> object:
        del request
        return await asyncio.to_thread(system_stats, self._agent.readings, len(asyncio.all_tasks()))


def _is_json(request: Request) -> bool:
    """Also against forms: a page elsewhere can send those without asking, but no JSON."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _error(status: int, sentence: str) -> Response:
    return Response(status, {"error": sentence})
