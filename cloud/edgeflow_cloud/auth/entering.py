"""From one organization into another, without the password again."""

from edgeflow_cloud import audit, identity, organizations
from edgeflow_cloud.auth import queries
from edgeflow_cloud.auth.model import Entry, Origin, claimed
from edgeflow_cloud.auth.service import choose, entry_of, member, new_session, person
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import TenantId, UserId
from edgeflow_cloud.kernel.principal import Principal


async def enter(context: Context, principal: Principal, origin: Origin, organization_id: TenantId) -> Entry:
    """Open a session in another organization of the caller, `user.login`; the present session stays as it is.

    Raises Forbidden (`people_only`, `not_a_member`; `organization_suspended`, `organization_deleted`).
    """
    from_session, user_id = person(principal), UserId(principal.id)
    async with context.db.lookup() as tx:
        tenant_id = choose(await organizations.memberships_of(tx, user_id), organization_id)
    async with context.db.tenant_tx(claimed(tenant_id, user_id)) as tx:
        user = await identity.get_user(tx, user_id)
        session = new_session(tenant_id, user_id, context.clock.now())
        entered = await member(tx, session, origin)
        await queries.insert_session(tx, session, origin)
        await audit.record(
            tx,
            entered,
            "user.login",
            "session",
            ids.encode(ids.SESSION, session.id),
            new={"from_session": ids.encode(ids.SESSION, from_session)},
        )
    return entry_of(context, session, entered, user)
