"""Who is calling: a person's token, or a device's key. The one place that knows every kind of credential."""

from starlette.requests import HTTPConnection

from edgeflow_cloud import auth, devices
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.errors import Unauthenticated
from edgeflow_cloud.kernel.principal import Kind, Principal


async def authenticate(context: Context, connection: HTTPConnection) -> Principal | None:
    """The caller of a request, or None without credentials. Raises Unauthenticated for bad ones."""
    token = auth.bearer_token(connection)
    if token is not None:
        return await auth.authenticate(context, token, connection)
    key = connection.headers.get("x-api-key")
    if key is None:
        return None
    async with context.db.lookup() as tx:
        found = await devices.authenticate_key(tx, key)
    if found is None:
        raise Unauthenticated("This key is not known, or it is no longer good.", code="invalid_key")
    tenant_id, device_id = found
    return Principal(
        tenant_id=tenant_id,
        kind=Kind.DEVICE,
        id=device_id,
        ip_address=connection.client.host if connection.client else None,
        user_agent=(connection.headers.get("user-agent") or "")[:400] or None,
    )
