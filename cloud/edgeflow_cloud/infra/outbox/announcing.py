"""Announcing an event, in the transaction of the change."""

from edgeflow_cloud.infra.db import Transaction, notify_after
from edgeflow_cloud.infra.outbox import queries
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.events import Event
from edgeflow_cloud.kernel.ids import EventId


async def announce(tx: Transaction, *events: Event) -> list[EventId]:
    """Write events into `tx`: they are relayed if it commits and never were if it does not.

    The transaction must see the events' organization (or be a system transaction).
    """
    made = [EventId(ids.new()) for _ in events]
    if events:
        await queries.insert_events(tx, list(zip(made, events, strict=True)))
        notify_after(tx, queries.CHANNEL)  # the relay also looks by itself every two seconds
    return made
