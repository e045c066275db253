"""Every SQL statement on `hubs`, whose times are all PostgreSQL's own, so that no two machines' clocks are compared,
and on `clone_suspicions`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import DeviceId, TenantId

LOST_AFTER = 3
"""Looks, at least four seconds apart, during which a hub renewed nothing."""

DELETE_OLD_HUBS = """
delete from hubs where id in (
    select id from hubs where lost_at < $1 order by lost_at limit $2
)"""

DELETE_OLD_SUSPICIONS = """
delete from clone_suspicions where (tenant_id, device_id) in (
    select tenant_id, device_id from clone_suspicions where last_at < $1 order by last_at limit $2
)"""


async def renew_hub(tx: Transaction, hub_id: str) -> None:
    """Hub `hub_id` lives; also when it was given up meanwhile."""
    await tx.execute(
        """
        insert into hubs (id) values ($1)
        on conflict (id) do update set seen_at = now(), missed = 0, lost_at = null
        """,
        hub_id,
    )


async def delete_hub(tx: Transaction, hub_id: str) -> None:
    """The hub ended in order: nobody is to look for it."""
    await tx.execute("delete from hubs where id = $1", hub_id)


async def count_missed(tx: Transaction) -> list[str]:
    """Look at every hub that is late; answers those that are lost by now and whose devices are to be given up."""
    rows = await tx.fetch(
        """
        update hubs set missed = missed + 1, looked_at = now()
        where lost_at is null
            and seen_at < now() - interval '4 seconds' and looked_at < now() - interval '4 seconds'
        returning id, missed
        """
    )
    return [row["id"] for row in rows if row["missed"] >= LOST_AFTER]


async def lock_missed(tx: Transaction, hub_id: str) -> bool:
    """Whether the hub is still missed; it cannot renew itself until the transaction ends."""
    found = await tx.fetchval(
        "select true from hubs where id = $1 and missed >= $2 for update", hub_id, LOST_AFTER
    )
    return found is True


async def mark_lost(tx: Transaction, hub_id: str) -> None:
    """All devices of the hub have been given up."""
    await tx.execute("update hubs set lost_at = now() where id = $1", hub_id)


async def select_hubs(tx: Transaction) -> Sequence[str]:
    """The hubs that live, as far as anybody knows."""
    rows = await tx.fetch("select id from hubs where lost_at is null")
    return [cast(str, row["id"]) for row in rows]


async def note_clone(
    tx: Transaction,
    tenant_id: TenantId,
    device_id: DeviceId,
    at: datetime,
    takeovers: int,
    addresses: Sequence[str],
) -> None:
    """Note `takeovers` in a short while. Raises ForeignKeyViolationError for a device that was deleted meanwhile."""
    await tx.execute(
        """
        insert into clone_suspicions as s (tenant_id, device_id, first_at, last_at, takeovers, addresses)
        values ($1, $2, $3, $3, $4, $5)
        on conflict (tenant_id, device_id) do update
        set last_at = excluded.last_at, takeovers = excluded.takeovers, addresses = excluded.addresses
        """,
        tenant_id,
        device_id,
        at,
        takeovers,
        list(addresses),
    )


async def select_clone(
    tx: Transaction, tenant_id: TenantId, device_id: DeviceId, since: datetime
) -> Row | None:
    """The suspicion, if there was reason for it after `since`."""
    return await tx.fetchrow(
        """
        select first_at, takeovers, addresses from clone_suspicions
        where tenant_id = $1 and device_id = $2 and last_at > $3
        """,
        tenant_id,
        device_id,
        since,
    )


async def delete_clone(tx: Transaction, tenant_id: TenantId, device_id: DeviceId) -> None:
    """The reason is gone."""
    await tx.execute(
        "delete from clone_suspicions where tenant_id = $1 and device_id = $2", tenant_id, device_id
    )
