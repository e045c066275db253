"""Our router: FastAPI's, with a permission on every route and one transaction around it.

The order of a call: known? allowed? body within limits? then the transaction, the idempotency key, the endpoint, the
commit, and only then the answer.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar, TypeVar, cast

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.http import idempotency
from edgeflow_cloud.infra.http.bodies import Problems
from edgeflow_cloud.infra.http.limits import read_body, refuse_nul, spend
from edgeflow_cloud.infra.http.parsing import parse_body
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Forbidden, NotFound, Unauthenticated
from edgeflow_cloud.kernel.principal import Kind, Principal, Restriction

PUBLIC = "public"
"""Anybody may call; no principal is made."""
SIGNED_IN = "signed-in"
"""Any person or program that is known, whatever its role."""

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])
_TABLE: dict[str, object] = {
    "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}
}
Responses = dict[int | str, dict[str, object]]
Handler = Callable[[Request], Coroutine[object, object, Response]]


@dataclass(frozen=True, slots=True)
class Manners:
    """How one route behaves. `devices`: a device's own key may call it, for its own `{device_id}` only.

    `lenient`: the body comes from devices in the field; what is doubtful in it is mended by the route, not refused.
    `table`: the body is a CSV file, which the route itself reads; what is a matter of JSON is not asked of it.
    """

    permission: str
    transaction: bool = True
    creates: bool = False
    devices: bool = False
    lenient: bool = False
    table: bool = False


@dataclass(frozen=True, slots=True)
class _Definition:
    method: str
    path: str
    endpoint: Callable[..., object]
    manners: Manners
    status: int
    responses: Responses


class Router:
    """A subsystem's routes. Each decorator takes the permission; the rest is read from the endpoint's signature."""

    def __init__(self, *, tag: str) -> None:
        self._tag = tag
        self._definitions: list[_Definition] = []

    def get(
        self,
        path: str,
        permission: str,
        *,
        devices: bool = False,
        transaction: bool = True,
        responses: Responses | None = None,
    ) -> Callable[[Endpoint], Endpoint]:
        """A read."""
        return self._keep("GET", path, Manners(permission, transaction, devices=devices), 200, responses)

    def post(
        self,
        path: str,
        permission: str,
        *,
        creates: bool = False,
        status: int = 200,
        transaction: bool = True,
        lenient: bool = False,
        table: bool = False,
        responses: Responses | None = None,
    ) -> Callable[[Endpoint], Endpoint]:
        """A deed. `creates` makes it honour `Idempotency-Key` and answer 201."""
        manners = Manners(permission, transaction, creates, lenient=lenient, table=table)
        return self._keep("POST", path, manners, 201 if creates and status == 200 else status, responses)

    def put(
        self, path: str, permission: str, *, devices: bool = False, transaction: bool = True
    ) -> Callable[[Endpoint], Endpoint]:
        """A change of something that is there."""
        return self._keep("PUT", path, Manners(permission, transaction, devices=devices), 200, None)

    def delete(
        self,
        path: str,
        permission: str,
        *,
        transaction: bool = True,
        status: int = 204,
        responses: Responses | None = None,
    ) -> Callable[[Endpoint], Endpoint]:
        """A removal."""
        return self._keep("DELETE", path, Manners(permission, transaction), status, responses)

    def mount(self, api: FastAPI, prefix: str) -> None:
        """Put the routes into `api`, each with its manners."""
        for item in self._definitions:
            api.router.add_api_route(
                prefix + item.path,
                item.endpoint,
                methods=[item.method],
                status_code=item.status,
                tags=[self._tag],
                responses={**Problems, **item.responses},
                operation_id=getattr(item.endpoint, "__name__", None),
                openapi_extra={
                    "x-permission": item.manners.permission,
                    **_security(item.manners),
                    **(_TABLE if item.manners.table else {}),
                },
                route_class_override=_route_class(item.manners),
            )

    def _keep(
        self, method: str, path: str, manners: Manners, status: int, responses: Responses | None
    ) -> Callable[[Endpoint], Endpoint]:
        def register(endpoint: Endpoint) -> Endpoint:
            self._definitions.append(_Definition(method, path, endpoint, manners, status, responses or {}))
            return endpoint

        return register


def _security(manners: Manners) -> dict[str, object]:
    if manners.permission == PUBLIC:
        return {"security": []}
    schemes: list[dict[str, list[str]]] = [{"bearer": []}, {"api_key": []}]
    return {"security": [*schemes, {"device_key": []}] if manners.devices else schemes}


class MannerlyRoute(APIRoute):
    """A route that was made by our Router; `app` refuses to start with any other."""

    manners: ClassVar[Manners]

    @cached_property
    def _shape(self) -> tuple[str, int]:
        return self.path.partition("{")[0], self.path.count("/")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As Starlette's, after a look that needs no pattern: a call passes a hundred routes that are not its own."""
        start, parts = self._shape
        path: str = scope["path"]
        return (
            super().matches(scope)
            if path.startswith(start) and path.count("/") == parts
            else (Match.NONE, {})
        )


def _route_class(manners: Manners) -> type[APIRoute]:
    class Route(MannerlyRoute):
        def get_route_handler(self) -> Handler:
            endpoint = cast("Handler", super().get_route_handler())

            reads_json = self.body_field is not None

            async def handle(request: Request) -> Response:
                return await _serve(request, endpoint, manners, reads_json)

            return handle

    Route.manners = manners
    return Route


async def _serve(request: Request, endpoint: Handler, manners: Manners, reads_json: bool) -> Response:
    context = context_of(request)
    principal = None
    if manners.permission != PUBLIC:
        principal = await context.authenticate(context, request)
    try:
        return await _answer(request, endpoint, manners, principal, reads_json)
    except Forbidden as refusal:
        # Here the call's transaction is undone; the note of the refusal is written in one of its own.
        permission = refusal.extra.get("permission")
        if principal is not None and isinstance(permission, str) and context.on_denied is not None:
            await context.on_denied(context, principal, permission, f"{request.method} {request.url.path}")
        raise


async def _answer(
    request: Request, endpoint: Handler, manners: Manners, principal: Principal | None, reads_json: bool
) -> Response:
    context = context_of(request)
    if manners.permission != PUBLIC:
        _permit(principal, manners, request)
        request.state.principal = principal
    await spend(context, request, principal)
    if principal is not None and context.meter is not None:
        await context.meter(context, principal, manners.permission)
    body = await read_body(request, json=not manners.table)
    if not (manners.devices or manners.table or manners.permission == PUBLIC):
        refuse_nul(body)  # devices' text may end in NUL (field-device.md): their routes strip it
    if reads_json:
        await parse_body(request, body, lenient=manners.lenient)
    if not manners.transaction or principal is None:
        return await endpoint(request)
    async with context.db.tenant_tx(principal) as tx:
        request.state.tx = tx
        key = idempotency.key_of(request) if manners.creates else None
        if key is None:
            return await endpoint(request)
        kept = await idempotency.claim(context, tx, principal, key, request, body)
        if kept is not None:
            return kept
        response = await endpoint(request)
        await idempotency.keep(context, tx, principal, key, response)
        return response


def _permit(principal: Principal | None, manners: Manners, request: Request) -> None:
    if principal is None:
        raise Unauthenticated("Log in, or send an API key in X-API-Key, to use this.")
    if principal.kind is Kind.DEVICE:
        own = ids.encode(ids.DEVICE, principal.id)
        if not manners.devices:
            raise Forbidden(
                "A device's key opens only the device's own shadow and tunnel.", code="devices_not_allowed"
            )
        if request.path_params.get("device_id") != own:
            raise NotFound("There is no such device.")
        return
    if manners.permission != SIGNED_IN and not principal.may(manners.permission):
        raise _missing(principal, manners.permission)


def _missing(principal: Principal, permission: str) -> Forbidden:
    """The refusal that names the missing permission, and why it is missing where that is not the role."""
    code, said = "permission_denied", "Ask an owner or admin of the organization."
    match principal.restriction:
        case None if principal.kind is Kind.API_KEY:
            said = "Make an API key with a scope that includes it."
        case None:
            pass
        case Restriction.MFA_REQUIRED:
            code = "mfa_required"
            said = "This organization requires two-factor authentication: enable it in your profile first."
        case Restriction.ORGANIZATION_DELETED:
            code = "organization_deleted"
            said = "This organization was deleted: restore it first, or export what you need."
    return Forbidden(
        f"This needs the permission {permission}, which you do not have. {said}",
        code=code,
        extra={"permission": permission},
    )


def context_of(request: Request) -> Context:
    """The process's Context."""
    return cast("Context", request.app.state.context)


# These are coroutines because FastAPI runs a plain function in a thread: three hops a call for an attribute each.


async def _tx(request: Request) -> Transaction:
    return cast("Transaction", request.state.tx)


async def _caller(request: Request) -> Principal:
    return cast("Principal", request.state.principal)


async def _context(request: Request) -> Context:
    return context_of(request)


Tx = Annotated[Transaction, Depends(_tx)]
"""The request's transaction, already inside the caller's organization."""
Caller = Annotated[Principal, Depends(_caller)]
"""Who is asking."""
Ctx = Annotated[Context, Depends(_context)]
"""The process's Context, for routes that work without a transaction or after one."""
