"""Arrivals, signs of life and departures, many at a time. Takes a `system_tx`; announces what changed."""

from collections.abc import Sequence
from datetime import datetime

from edgeflow_cloud.devices.events import DeviceConnected, DeviceDisconnected
from edgeflow_cloud.devices.model import Arrival, Fence, Sighting
from edgeflow_cloud.devices.presence import queries
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel.ids import DeviceId


async def connect_many(
    tx: Transaction, arrivals: Sequence[Arrival], hub_id: str, at: datetime
) -> dict[DeviceId, int]:
    """Mark the devices online and give each its new epoch. A device that was deleted meanwhile is absent."""
    rows = await queries.connect(tx, arrivals, hub_id, at)
    await queries.update_agent_versions(tx, [arrival for arrival in arrivals if arrival.agent_version])
    await announce(
        tx,
        *(
            DeviceConnected(tenant_id=row["tenant_id"], device_id=row["device_id"], epoch=row["epoch"])
            for row in rows
        ),
    )
    return {row["device_id"]: row["epoch"] for row in rows}


async def disconnect_many(tx: Transaction, sightings: Sequence[Sighting], reason: str) -> set[DeviceId]:
    """Mark offline those that did not come back under a newer epoch; their ids are returned."""
    return await _announce_departures(tx, await queries.disconnect(tx, sightings), reason)


async def touch_many(tx: Transaction, sightings: Sequence[Sighting]) -> set[DeviceId]:
    """Note signs of life. A device that is absent from the answer has a newer connection: the old one must end."""
    return {row["device_id"] for row in await queries.touch(tx, sightings)}


async def disconnect_hub(tx: Transaction, hub_id: str, *, limit: int = 1_000) -> set[DeviceId]:
    """Mark offline whom a hub holds that was lost; under their raised epochs nothing that it writes is taken.

    At most `limit` at a time: call it until it answers nobody.
    """
    rows = await queries.disconnect_hub(tx, hub_id, limit)
    return await _announce_departures(tx, rows, "The hub that held the connection was lost.")


async def disconnect_silent(tx: Transaction, before: datetime, *, limit: int = 1_000) -> set[DeviceId]:
    """Mark offline whom nobody has seen since `before`; a connection of theirs that lives after all is stale."""
    rows = await queries.disconnect_silent(tx, before, limit)
    return await _announce_departures(tx, rows, "no sign of life")


def guard(fences: Sequence[Fence]) -> str:
    """The guard that keeps a transaction from being committed when one of these connections is stale.

    For `tenant_tx(…, guard=)` and `ingest_tx(guard=)`, which raise GuardFailed then. `fences` is not empty.
    """
    return queries.guard(fences)


async def list_current(tx: Transaction, fences: Sequence[Fence]) -> set[Fence]:
    """Those of the connections that are the newest of their device: the others are stale."""
    return {
        Fence(row["tenant_id"], row["device_id"], row["epoch"])
        for row in await queries.select_current(tx, fences)
    }


async def list_succeeded(tx: Transaction, fences: Sequence[Fence]) -> set[DeviceId]:
    """Devices of which a newer connection than that is in. No statement for no fence."""
    if not fences:
        return set()
    return {row["device_id"] for row in await queries.select_succeeded(tx, fences)}


async def _announce_departures(tx: Transaction, rows: Sequence[Row], reason: str) -> set[DeviceId]:
    await announce(
        tx,
        *(
            DeviceDisconnected(
                tenant_id=row["tenant_id"], device_id=row["device_id"], epoch=row["epoch"], reason=reason
            )
            for row in rows
        ),
    )
    return {row["device_id"] for row in rows}
