"""The API as a document: it is the committed one, every route is guarded, every operation can be read."""

import json
from collections.abc import Iterator, Mapping

import pytest
from fastapi import FastAPI

from edgeflow_cloud.app.api import UnguardedRoute, create_api, openapi_document
from edgeflow_cloud.app.subsystems import SUBSYSTEMS
from edgeflow_cloud.infra.http import PUBLIC, Router
from edgeflow_cloud.infra.subsystem import Subsystem
from tools import openapi
from tools.root import OPENAPI

Operation = Mapping[str, object]


def test_the_document_is_the_committed_one() -> None:
    assert OPENAPI.read_text(encoding="utf-8") == openapi.render(), (
        "The API changed: run `make gen`, commit both."
    )


def test_a_change_of_the_api_changes_the_document() -> None:
    changed = create_api(None, [*SUBSYSTEMS, Subsystem(name="samples", routers=[samples(PUBLIC)])])
    assert "/api/v1/samples" in openapi_document(changed)["paths"]  # pyright: ignore[reportOperatorIssue]
    assert "/api/v1/samples" not in json.loads(openapi.render())["paths"]


def operations(document: Mapping[str, object]) -> Iterator[tuple[str, Operation]]:
    paths = document["paths"]
    assert isinstance(paths, dict)
    for path, methods in paths.items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def unreadable(document: Mapping[str, object]) -> list[str]:
    """Operations that a reader of /docs cannot make out: no summary, no description, no tag, a doubled id."""
    said: list[str] = []
    ids: dict[object, str] = {}
    for name, operation in operations(document):
        said += [
            f"{name} has no {part}." for part in ("summary", "description", "tags") if not operation.get(part)
        ]
        other = ids.setdefault(operation.get("operationId"), name)
        if other != name:
            said.append(f"{name} and {other} share the id {operation.get('operationId')}.")
    return said


def test_operations_are_readable() -> None:
    document = json.loads(openapi.render())
    assert len(list(operations(document))) > 10
    assert unreadable(document) == []


def test_unreadable_operations_are_seen() -> None:
    bare: Operation = {"operationId": "a"}
    assert len(unreadable({"paths": {"/a": {"get": bare}, "/b": {"get": bare}}})) == 7


def samples(permission: str) -> Router:
    """A router with one route."""
    router = Router(tag="samples")

    @router.get("/samples", permission)
    async def list_samples() -> list[str]:
        """List samples."""
        return []

    return router


def test_an_undeclared_permission_is_refused() -> None:
    routers = [samples("samples:view")]
    with pytest.raises(UnguardedRoute):
        create_api(None, [Subsystem(name="samples", routers=routers)])
    create_api(
        None, [Subsystem(name="samples", routers=routers, permissions={"samples:view": "See samples"})]
    )


def test_a_route_past_our_router_is_refused() -> None:
    class Stray(Router):
        def mount(self, api: FastAPI, prefix: str) -> None:
            api.add_api_route(f"{prefix}/stray", lambda: None)

    with pytest.raises(UnguardedRoute):
        create_api(None, [Subsystem(name="samples", routers=[Stray(tag="samples")])])
