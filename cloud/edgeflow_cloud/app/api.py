"""The REST API of one process: every subsystem's routes under `/api/v1`, with our manners around them."""

from collections.abc import Sequence
from typing import cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware import Middleware

from edgeflow_cloud import __version__
from edgeflow_cloud.app import instance, live
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.http import PUBLIC, SIGNED_IN
from edgeflow_cloud.infra.http.bodies import ProblemDocument, Problems
from edgeflow_cloud.infra.http.middleware import Envelope
from edgeflow_cloud.infra.http.problems import install
from edgeflow_cloud.infra.http.router import MannerlyRoute
from edgeflow_cloud.infra.subsystem import Subsystem

PREFIX = "/api/v1"
_SECURITY_SCHEMES: dict[str, object] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "From POST /auth/login.",
    },
    "api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "`edgeflow_…`, for programs.",
    },
    "device_key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "`efk_…`, for a device's own resources.",
    },
}


class UnguardedRoute(RuntimeError):
    """A route names no permission, or one that no subsystem has declared."""


def create_api(context: Context | None, subsystems: Sequence[Subsystem]) -> FastAPI:
    """Make the API. `context` may be None when only its OpenAPI document is wanted. Raises UnguardedRoute."""
    api = FastAPI(
        title="EdgeFlow Cloud",
        version=__version__,
        summary="Fleets of edge devices: seen, configured and cared for from one place.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        middleware=[Middleware(Envelope)],
    )
    api.state.context = context
    install(api)
    for router in (
        *(router for subsystem in subsystems for router in subsystem.routers),
        live.router,
        instance.router,
    ):
        router.mount(api, PREFIX)
    _refuse_unguarded(api, subsystems)
    return api


def openapi_document(api: FastAPI) -> dict[str, object]:
    """The OpenAPI 3.1 document, with our problems and ways to authenticate."""
    document = cast(
        "dict[str, dict[str, dict[str, object]]]",
        get_openapi(title=api.title, version=api.version, summary=api.summary, routes=api.routes),
    )
    components = document.setdefault("components", {})
    components["securitySchemes"] = _SECURITY_SCHEMES
    schemas = components.setdefault("schemas", {})
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["ProblemDocument"] = problem
    components["responses"] = _share_problems(document["paths"])
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return cast("dict[str, object]", document)


def _share_problems(paths: dict[str, dict[str, object]]) -> dict[str, object]:
    """Say each problem once: operations refer to it. The shared responses are returned."""
    shared = {f"Problem{status}": answer for status, answer in Problems.items()}
    for operations in paths.values():
        for operation in cast("dict[str, dict[str, dict[str, object]]]", operations).values():
            responses = operation["responses"]
            for status, answer in Problems.items():
                if responses.get(str(status)) == answer:
                    responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    return cast("dict[str, object]", shared)


def _refuse_unguarded(api: FastAPI, subsystems: Sequence[Subsystem]) -> None:
    known = {PUBLIC, SIGNED_IN}.union(*(subsystem.permissions for subsystem in subsystems))
    for route in api.routes:
        if not isinstance(route, MannerlyRoute):
            raise UnguardedRoute(f"{route} was not made by our Router and names no permission")
        if route.manners.permission not in known:
            raise UnguardedRoute(
                f"{route.path} asks for {route.manners.permission!r}, which nobody has declared"
            )
