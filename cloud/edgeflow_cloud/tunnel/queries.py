"""Every SQL statement on `hubs`. All times are PostgreSQL's own, so that no two machines' clocks are compared."""

from collections.abc import Sequence
from typing import cast

from edgeflow_cloud.infra.db import Transaction

LOST_AFTER = 3
"""Looks, at least four seconds apart, during which a hub renewed nothing."""

DELETE_OLD_HUBS = """
delete from hubs where id in (
    select id from hubs where lost_at < $1 order by lost_at limit $2
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
