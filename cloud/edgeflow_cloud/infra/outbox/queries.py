"""Every SQL statement on `outbox`."""

from collections.abc import Sequence

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.events import Event
from edgeflow_cloud.kernel.ids import EventId

CHANNEL = "outbox"

DELETE_OLD_EVENTS = """
delete from outbox where (tenant_id, id) in (
    select tenant_id, id from outbox where relayed_at < $1 order by relayed_at limit $2
)"""


async def insert_events(tx: Transaction, events: Sequence[tuple[EventId, Event]]) -> None:
    """Add events in their order."""
    await tx.execute(
        """
        insert into outbox (tenant_id, event_id, name, version, payload, changed)
        select tenant_id, event_id, name, version, payload, string_to_array(nullif(changed, ''), ' ')
        from unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::jsonb[], $6::text[])
            with ordinality as given (tenant_id, event_id, name, version, payload, changed, position)
        order by position
        """,
        [event.tenant_id for _, event in events],
        [event_id for event_id, _ in events],
        [event.name for _, event in events],
        [event.version for _, event in events],
        [event.payload() for _, event in events],
        [" ".join(event.changed()) for _, event in events],  # API paths hold no space
    )


async def take_waiting(tx: Transaction, limit: int) -> list[Row]:
    """The oldest waiting events, locked until the transaction ends; what another relay holds is left to
    it.
    """
    return await tx.fetch(
        """
        select tenant_id, id, event_id, name, version, payload, changed, occurred_at
        from outbox
        where relayed_at is null
        order by id
        limit $1
        for update skip locked
        """,
        limit,
    )


async def mark_relayed(tx: Transaction, rows: Sequence[Row]) -> None:
    await tx.execute(
        """
        update outbox set relayed_at = clock_timestamp()
        from unnest($1::uuid[], $2::bigint[]) done (tenant_id, id)
        where outbox.tenant_id = done.tenant_id and outbox.id = done.id
        """,
        [row["tenant_id"] for row in rows],
        [row["id"] for row in rows],
    )


async def count_waiting(tx: Transaction) -> int:
    """How many events wait: for metrics."""
    return int(await tx.fetchval("select count(*) from outbox where relayed_at is null") or 0)
