"""From `Authorization: Bearer …` to a Principal."""

from starlette.requests import HTTPConnection

from edgeflow_cloud.auth import standing, tokens
from edgeflow_cloud.auth.model import Origin, SessionEnded
from edgeflow_cloud.auth.tokens import AccessToken
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel.ids import TenantId, UserId
from edgeflow_cloud.kernel.principal import Kind, Principal, Role

_AGENT_LIMIT = 400


async def authenticate(context: Context, token: str, connection: HTTPConnection) -> Principal:
    """The person whose access token this is, in the organization of its session.

    Raises Unauthenticated with a sentence: `invalid_token`, `token_expired`, `session_ended`.
    """
    named = tokens.read_access(context.secrets, token, context.clock.now())
    found = await standing.find(context, named)
    if found is None:
        raise SessionEnded
    origin = origin_of(connection)
    return Principal(
        tenant_id=TenantId(found.tenant_id),
        kind=Kind.USER,
        id=found.user_id,
        role=Role(found.role),
        permissions=found.permissions,
        session_id=named.session_id,
        ip_address=origin.ip_address,
        user_agent=origin.user_agent,
    )


async def is_live(context: Context, principal: Principal) -> bool:
    """Whether a person's session still counts, and whether all that the person was allowed still is, for sockets that
    stay open: ask every second, it is cheap.
    """
    if principal.kind is not Kind.USER or principal.session_id is None:
        return True
    named = AccessToken(principal.tenant_id, UserId(principal.id), principal.session_id)
    found = await standing.find(context, named)
    return found is not None and found.permissions >= principal.permissions


def bearer_token(connection: HTTPConnection) -> str | None:
    """The token of the `Authorization` header, or None when it carries no bearer."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def origin_of(connection: HTTPConnection) -> Origin:
    """Address and browser of a call, as the audit log keeps them."""
    agent = connection.headers.get("user-agent")
    printable = "".join(letter for letter in agent if letter.isprintable()) if agent else None
    return Origin(
        ip_address=connection.client.host if connection.client else None,
        user_agent=printable[:_AGENT_LIMIT] if printable else None,
    )
