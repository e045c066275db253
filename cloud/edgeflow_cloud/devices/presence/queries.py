"""Every batched SQL statement on `device_presence`."""

from collections.abc import Sequence
from datetime import datetime

from edgeflow_cloud.devices.model import Arrival, Fence, Sighting
from edgeflow_cloud.infra.db import Row, Transaction


async def connect(tx: Transaction, arrivals: Sequence[Arrival], hub_id: str, at: datetime) -> list[Row]:
    """Raise each device's epoch and mark it online. Rows are locked in id order, so that two hubs cannot deadlock."""
    return await tx.fetch(
        """
        with arrived as (
            select p.tenant_id, p.device_id, asked.negotiated
            from unnest($1::uuid[], $2::uuid[], $5::boolean[]) as asked (tenant_id, device_id, negotiated)
            join device_presence p on p.tenant_id = asked.tenant_id and p.device_id = asked.device_id
            order by p.tenant_id, p.device_id
            for update of p
        )
        update device_presence p
        set epoch = p.epoch + 1, online = true, hub_id = $3, connected_at = $4::timestamptz, last_seen_at = $4,
            negotiated_at = coalesce(p.negotiated_at, case when arrived.negotiated then $4::timestamptz end)
        from arrived
        where p.tenant_id = arrived.tenant_id and p.device_id = arrived.device_id
        returning p.tenant_id, p.device_id, p.epoch
        """,
        [arrival.tenant_id for arrival in arrivals],
        [arrival.device_id for arrival in arrivals],
        hub_id,
        at,
        [arrival.negotiated for arrival in arrivals],
    )


async def update_agent_versions(tx: Transaction, arrivals: Sequence[Arrival]) -> None:
    """Only rows that differ are written: most reconnects change nothing."""
    await tx.execute(
        """
        update devices d set agent_version = asked.agent_version, updated_at = now()
        from unnest($1::uuid[], $2::uuid[], $3::text[]) as asked (tenant_id, device_id, agent_version)
        where d.tenant_id = asked.tenant_id and d.id = asked.device_id
            and d.agent_version is distinct from asked.agent_version
        """,
        [arrival.tenant_id for arrival in arrivals],
        [arrival.device_id for arrival in arrivals],
        [arrival.agent_version for arrival in arrivals],
    )


async def disconnect(tx: Transaction, sightings: Sequence[Sighting]) -> list[Row]:
    """Mark offline those whose epoch is still the one that left; the others have already come back."""
    return await tx.fetch(
        """
        with left_now as (
            select p.tenant_id, p.device_id, asked.seen_at
            from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[])
                as asked (tenant_id, device_id, epoch, seen_at)
            join device_presence p on p.tenant_id = asked.tenant_id and p.device_id = asked.device_id
                and p.epoch = asked.epoch and p.online
            order by p.tenant_id, p.device_id
            for update of p
        )
        update device_presence p
        set online = false, hub_id = null, last_seen_at = greatest(p.last_seen_at, left_now.seen_at)
        from left_now
        where p.tenant_id = left_now.tenant_id and p.device_id = left_now.device_id
        returning p.tenant_id, p.device_id, p.epoch
        """,
        *_columns(sightings),
    )


async def touch(tx: Transaction, sightings: Sequence[Sighting]) -> list[Row]:
    """Note signs of life; the rows that came back are those whose epoch is still the current one."""
    return await tx.fetch(
        """
        with seen as (
            select p.tenant_id, p.device_id, asked.seen_at
            from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[])
                as asked (tenant_id, device_id, epoch, seen_at)
            join device_presence p on p.tenant_id = asked.tenant_id and p.device_id = asked.device_id
                and p.epoch = asked.epoch and p.online
            order by p.tenant_id, p.device_id
            for update of p
        )
        update device_presence p set last_seen_at = greatest(p.last_seen_at, seen.seen_at)
        from seen
        where p.tenant_id = seen.tenant_id and p.device_id = seen.device_id
        returning p.tenant_id, p.device_id, p.epoch
        """,
        *_columns(sightings),
    )


async def disconnect_hub(tx: Transaction, hub_id: str, limit: int) -> list[Row]:
    """Mark offline whom hub `hub_id` holds, and raise their epochs: if it only slept, what it writes is refused."""
    return await tx.fetch(
        """
        with held as (
            select p.tenant_id, p.device_id from device_presence p
            where p.online and p.hub_id = $1
            order by p.tenant_id, p.device_id
            limit $2
            for update of p skip locked
        )
        update device_presence p set online = false, hub_id = null, epoch = p.epoch + 1
        from held
        where p.tenant_id = held.tenant_id and p.device_id = held.device_id
        returning p.tenant_id, p.device_id, p.epoch
        """,
        hub_id,
        limit,
    )


async def disconnect_silent(tx: Transaction, before: datetime, limit: int) -> list[Row]:
    """Mark offline whom no hub has seen since `before`, and raise their epochs."""
    return await tx.fetch(
        """
        with silent as (
            select p.tenant_id, p.device_id from device_presence p
            where p.online and p.last_seen_at < $1
            order by p.tenant_id, p.device_id
            limit $2
            for update of p skip locked
        )
        update device_presence p set online = false, hub_id = null, epoch = p.epoch + 1
        from silent
        where p.tenant_id = silent.tenant_id and p.device_id = silent.device_id
        returning p.tenant_id, p.device_id, p.epoch
        """,
        before,
        limit,
    )


def guard(fences: Sequence[Fence]) -> str:
    """A guard for a transaction (`tenant_tx`, `ingest_tx`): it holds while each of these is the newest connection.

    It is sent without arguments, in one message with the commit, so the values stand in the text: they are
    ids and numbers, which need no quoting.
    """
    tenant_ids, device_ids, epochs = (",".join(map(str, column)) for column in zip(*fences, strict=True))
    return (
        f"select require_connections('{{{tenant_ids}}}'::uuid[], '{{{device_ids}}}'::uuid[], "
        f"'{{{epochs}}}'::bigint[])"
    )


async def select_current(tx: Transaction, fences: Sequence[Fence]) -> list[Row]:
    """Those that are their device's newest connection."""
    return await tx.fetch(
        """
        select p.tenant_id, p.device_id, p.epoch
        from unnest($1::uuid[], $2::uuid[], $3::bigint[]) as asked (tenant_id, device_id, epoch)
        join device_presence p
            on p.tenant_id = asked.tenant_id and p.device_id = asked.device_id and p.epoch = asked.epoch
        """,
        *_fence_columns(fences),
    )


async def select_succeeded(tx: Transaction, fences: Sequence[Fence]) -> list[Row]:
    """Those whose device has a newer connection that is in."""
    return await tx.fetch(
        """
        select p.device_id
        from unnest($1::uuid[], $2::uuid[], $3::bigint[]) as asked (tenant_id, device_id, epoch)
        join device_presence p
            on p.tenant_id = asked.tenant_id and p.device_id = asked.device_id and p.epoch > asked.epoch
        where p.online
        """,
        *_fence_columns(fences),
    )


def _fence_columns(fences: Sequence[Fence]) -> tuple[list[object], ...]:
    return (
        [fence.tenant_id for fence in fences],
        [fence.device_id for fence in fences],
        [fence.epoch for fence in fences],
    )


def _columns(sightings: Sequence[Sighting]) -> tuple[list[object], ...]:
    return (
        [sighting.tenant_id for sighting in sightings],
        [sighting.device_id for sighting in sightings],
        [sighting.epoch for sighting in sightings],
        [sighting.seen_at for sighting in sightings],
    )
