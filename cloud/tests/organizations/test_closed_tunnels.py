"""Devices of a closed organization: their tunnels end, and nobody opens another one."""

from cloud.tests.tunnel.conftest import Registered, Running, device, hub, register
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.outbox import Announced
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.organizations import create_with_owner, resume_organization, suspend_organization
from edgeflow_cloud.tunnel.wiring import SUBSYSTEM as TUNNEL

__all__ = ["device", "hub", "register"]


async def test_suspension_ends_the_tunnel_and_refuses_the_next(
    context: Context, owner: Principal, hub: Running, device: Registered, database_url: str, sql
) -> None:
    now = context.clock.now()
    await sql.execute(
        """
        insert into users (id, email, first_name, last_name, password_hash, password_changed_at, created_at, updated_at)
        values ($1, 'o@example.com', 'O', '', 'x', $2, $2, $2)
        """,
        owner.id,
        now,
    )
    async with context.db.tenant_tx(owner) as tx:
        made = await create_with_owner(tx, owner, name="Acme", slug=None, plan="free", now=now)
    async with hub.client(device) as client:
        await suspend_organization(context, made.slug, "unpaid")
        event = Announced(
            event_id=ids.new(),
            tenant_id=owner.tenant_id,
            name="organization.suspended",
            version=1,
            occurred_at=now,
            payload={},
        )
        (job,) = [item.job for item in TUNNEL.reactions if item.event == event.name]
        await job.handler(context, event.to_payload())
        assert await client.closed() == 4403
    async with hub.client() as client:
        await client.send(type="connect", device_id=device.wire_id, api_key=device.key, version="1.0.0")
        error, code = await client.refusal()
        assert code == 4403 and "suspended" in error["error"]
    await resume_organization(context, made.slug)
    async with hub.client(device) as client:
        assert client.hello == {"type": "connected"}
