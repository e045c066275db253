"""Every SQL statement that writes `shadows` and `shadow_history`, or reads the former."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.shadows.history.model import Changed, Written


async def select_shadow(tx: Transaction, tenant_id: TenantId, device_id: DeviceId) -> Row | None:
    return await tx.fetchrow(
        """
        select device_id, version, desired, reported, desired_metadata, reported_metadata, updated_at
        from shadows where tenant_id = $1 and device_id = $2
        """,
        tenant_id,
        device_id,
    )


async def select_unmet(
    tx: Transaction, tenant_ids: Sequence[UUID], device_ids: Sequence[UUID]
) -> list[DeviceId]:
    """Those of the devices that may have a delta: all that have one, and some that have a list in desired.

    A list in jsonb contains another also when the order differs, so where there is one the shadow is looked at.
    """
    rows = await tx.fetch(
        """
        select s.device_id
        from unnest($1::uuid[], $2::uuid[]) as asked (tenant_id, device_id)
        join shadows s on s.tenant_id = asked.tenant_id and s.device_id = asked.device_id
        where s.desired <> '{}' and (not s.reported @> s.desired or s.desired::text like '%[%')
        """,
        tenant_ids,
        device_ids,
    )
    return [row["device_id"] for row in rows]


async def lock_shadows(tx: Transaction, tenant_ids: Sequence[UUID], device_ids: Sequence[UUID]) -> list[Row]:
    """Those shadows that there are, their rows locked until the transaction ends: writers of one device come one
    after another. Locked in the order of their ids, so that no two transactions wait for each other."""
    return await tx.fetch(
        """
        select s.device_id, s.version, s.desired, s.reported, s.desired_metadata, s.reported_metadata, s.updated_at
        from shadows s
        where (s.tenant_id, s.device_id) in (select tenant_id, device_id
            from unnest($1::uuid[], $2::uuid[]) as asked (tenant_id, device_id))
        order by s.tenant_id, s.device_id
        for no key update
        """,
        tenant_ids,
        device_ids,
    )


async def insert_shadows(
    tx: Transaction, tenant_ids: Sequence[UUID], device_ids: Sequence[UUID], at: datetime
) -> None:
    """Empty shadows of version 0, where no other writer was first (for one that is about to, this waits)."""
    await tx.execute(
        """
        insert into shadows (tenant_id, device_id, updated_at)
        select tenant_id, device_id, $3::timestamptz
        from unnest($1::uuid[], $2::uuid[]) as asked (tenant_id, device_id)
        order by tenant_id, device_id
        on conflict (tenant_id, device_id) do nothing
        """,
        tenant_ids,
        device_ids,
        at,
    )


async def write_updates(tx: Transaction, written: Sequence[Written]) -> None:
    """Write what `lock_shadows` holds: each device's newest state, and a row of history for every update.

    Of one device the updates follow one another. A half that no update touched is left as it is.
    """
    newest = {one.device_id: one for one in written}
    halves = {
        (one.device_id, half)
        for one in written
        for half in ("desired", "reported")
        if one.update.changed in (half, Changed.DELETED)
    }

    def column(half: str, name: str) -> list[object]:
        return [
            getattr(one.update.after, name) if (one.device_id, half) in halves else None
            for one in newest.values()
        ]

    await tx.execute(
        """
        with moved as (
            update shadows s set version = given.version, updated_at = given.at,
                desired = coalesce(given.desired, s.desired),
                desired_metadata = coalesce(given.desired_metadata, s.desired_metadata),
                reported = coalesce(given.reported, s.reported),
                reported_metadata = coalesce(given.reported_metadata, s.reported_metadata)
            from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::jsonb[], $6::jsonb[], $7::jsonb[],
                $8::jsonb[]) as given (tenant_id, device_id, version, at, desired, desired_metadata, reported,
                reported_metadata)
            where s.tenant_id = given.tenant_id and s.device_id = given.device_id
        )
        insert into shadow_history (
            tenant_id, device_id, version, changed, at, by_kind, by_id, patch, undo, snapshot
        )
        select tenant_id, device_id, version, changed, at, by_kind, by_id, patch, undo, snapshot
        from unnest($9::uuid[], $10::uuid[], $11::bigint[], $12::text[], $13::timestamptz[], $14::text[], $15::text[],
            $16::jsonb[], $17::jsonb[], $18::jsonb[]) as said (tenant_id, device_id, version, changed, at, by_kind,
            by_id, patch, undo, snapshot)
        """,
        [one.tenant_id for one in newest.values()],
        [one.device_id for one in newest.values()],
        [one.update.after.version for one in newest.values()],
        [one.update.after.updated_at for one in newest.values()],
        column("desired", "desired"),
        column("desired", "desired_metadata"),
        column("reported", "reported"),
        column("reported", "reported_metadata"),
        [one.tenant_id for one in written],
        [one.device_id for one in written],
        [one.update.after.version for one in written],
        [one.update.changed.value for one in written],
        [one.update.after.updated_at for one in written],
        [one.by_kind for one in written],
        [one.by_id for one in written],
        [one.update.patch for one in written],
        [one.update.undo() for one in written],
        [one.update.snapshot() for one in written],
    )


async def delete_reports(
    tx: Transaction, tenant_ids: Sequence[UUID], device_ids: Sequence[UUID], below: Sequence[int]
) -> None:
    """Let go what the devices reported in versions below these."""
    await tx.execute(
        """
        delete from shadow_history h
        using unnest($1::uuid[], $2::uuid[], $3::bigint[]) as given (tenant_id, device_id, below)
        where h.tenant_id = given.tenant_id and h.device_id = given.device_id and h.version < given.below
            and h.changed = 'reported'
        """,
        tenant_ids,
        device_ids,
        below,
    )
