"""Who is calling: a person's token, a program's key, or a device's. The one place that knows every kind of
credential.
"""

from dataclasses import replace

from starlette.requests import HTTPConnection

from edgeflow_cloud import api_keys, auth, devices, organizations
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.errors import Problem, Unauthenticated, Unavailable
from edgeflow_cloud.kernel.principal import Kind, Principal


async def authenticate(context: Context, connection: HTTPConnection) -> Principal | None:
    """The caller of a request, or None without credentials.

    Raises Unauthenticated for bad ones, Forbidden (`address_not_allowed`, `organization_suspended`,
    `organization_deleted`).
    """
    token = auth.bearer_token(connection)
    if token is not None:
        return await auth.authenticate(context, token, connection)
    key = connection.headers.get("x-api-key")
    if key is None:
        return None
    async with context.db.lookup() as tx:
        host = connection.client.host if connection.client else None
        principal = await _holder(context, tx, key, host)
    if principal is None:
        raise Unauthenticated("This key is not known, or it is no longer good.", code="invalid_key")
    return replace(
        principal,
        ip_address=host,
        user_agent=(connection.headers.get("user-agent") or "")[:400] or None,
    )


async def is_live(context: Context, principal: Principal) -> bool:
    """Whether the credentials still count, for sockets that stay open: ask every second."""
    try:
        if principal.kind is not Kind.API_KEY:
            return await auth.is_live(context, principal)
        async with context.db.tenant_tx(principal) as tx:
            if await organizations.closed_among(tx, [principal.tenant_id]):
                return False
            return await api_keys.is_good(tx, principal, context.clock.now())
    except Unavailable:
        return True  # nobody can say; the next second may
    except Problem:
        return False


async def _holder(context: Context, tx: Transaction, key: str, address: str | None) -> Principal | None:
    """The program or device whose key this is."""
    if key.startswith(api_keys.KEY_PREFIX):
        return await api_keys.authenticate(tx, key, context.clock.now(), address)
    found = await devices.authenticate_key(tx, key)
    if found is None:
        return None
    tenant_id, device_id = found
    if await organizations.closed_among(tx, [tenant_id]):
        organizations.refuse_closed("suspended")
    return Principal(tenant_id=tenant_id, kind=Kind.DEVICE, id=device_id)
