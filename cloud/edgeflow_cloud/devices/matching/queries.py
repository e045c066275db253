"""Every SQL statement over a condition of the query language, and the places of the registry's own fields in it."""

from uuid import UUID

from edgeflow_cloud.devices.queries import COLUMNS
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_cloud.query_language import Condition

PRESENCE = "join device_presence p on p.tenant_id = d.tenant_id and p.device_id = d.id"
IN_GROUP = (
    "d.id in (select m.device_id from device_group_members m where m.tenant_id = $1 and m.group_id = {group})"
)
IN_NO_GROUP = (
    "not exists (select from device_group_members m where m.tenant_id = d.tenant_id and m.device_id = d.id)"
)

SORTS = {
    "name": ("lower(d.name)", "text", ""),
    "created": ("d.id", "uuid", ""),
    "updated": ("d.updated_at", "timestamptz", ""),
    "last_seen": ("coalesce(p.last_seen_at, '-infinity')", "timestamptz", PRESENCE),
    "status": ("p.online", "boolean", PRESENCE),
    "firmware": ("coalesce(d.firmware_order, '')", "text", ""),
}
"""What a list may be sorted by: (expression, its type, what it joins). Ties go by id."""


async def select_matching(
    tx: Transaction,
    found: Condition,
    sort: str,
    descending: bool,
    after_key: str | None,
    after_id: UUID | None,
    offset: int,
    limit: int,
) -> list[Row]:
    """Devices in the order of `sort`, a key of SORTS, each with its `sort_key` as text.

    Raises DataError when `after_key` is not of the sort's type.
    """
    key, cast, join = SORTS[sort]
    direction = "desc" if descending else "asc"
    after = ""
    if after_key is not None:
        beyond = "<" if descending else ">"
        place = found.bind(after_key, "text")
        after = f"and ({key}, d.id) {beyond} ({place}::{cast}, {found.bind(after_id, 'uuid')})"
    joins = " ".join({join: None, **found.joins})
    where, skipped, most = found.where, found.bind(offset, "bigint"), found.bind(limit, "bigint")
    # The whole rows only of those that are shown: a hundred thousand of them do not fit where they are sorted.
    return await tx.fetch(
        f"""
        select {COLUMNS}, shown.sort_key::text as sort_key
        from (
            select d.id, {key} as sort_key
            from devices d {joins}
            where d.tenant_id = $1 and {where} {after}
            order by {key} {direction}, d.id {direction}
            offset {skipped} limit {most}
        ) as shown
        join devices d on d.tenant_id = $1 and d.id = shown.id {PRESENCE}
        order by shown.sort_key {direction}, d.id {direction}
        """,  # noqa: S608
        *found.arguments,
    )


async def select_tags(tx: Transaction, tenant_id: TenantId, limit: int) -> list[Row]:
    """(tag): those that are on any of the newest 2,000 devices, by name."""
    return await tx.fetch(
        """
        select distinct t.tag
        from (select d.tags from devices d where d.tenant_id = $1 order by d.id desc limit 2000) as newest,
            unnest(newest.tags) as t (tag)
        order by t.tag limit $2
        """,
        tenant_id,
        limit,
    )


async def count_matching(tx: Transaction, found: Condition) -> int:
    joins, where = " ".join(found.joins), found.where
    return await tx.fetchval(
        f"select count(*) from devices d {joins} where d.tenant_id = $1 and {where}",  # noqa: S608 - made by the compiler
        *found.arguments,
    )


async def select_ids(tx: Transaction, found: Condition, limit: int) -> list[Row]:
    """(id) of the matching devices, in their order."""
    joins, where, most = " ".join(found.joins), found.where, found.bind(limit, "bigint")
    return await tx.fetch(
        f"select d.id from devices d {joins} where d.tenant_id = $1 and {where} order by d.id limit {most}",  # noqa: S608
        *found.arguments,
    )


async def select_labels(tx: Transaction, found: Condition, limit: int) -> list[Row]:
    """(id, name, tags, group_ids, group_names) of the matching devices, in their order; fixed groups only."""
    joins, where, most = " ".join(found.joins), found.where, found.bind(limit, "bigint")
    return await tx.fetch(
        f"""
        select d.id, d.name, d.tags, coalesce(m.ids, '{{}}') as group_ids, coalesce(m.names, '{{}}') as group_names
        from devices d {joins} left join lateral (
            select array_agg(g.id order by lower(g.name), g.id) as ids,
                array_agg(g.name order by lower(g.name), g.id) as names
            from device_group_members m join device_groups g on g.tenant_id = m.tenant_id and g.id = m.group_id
            where m.tenant_id = d.tenant_id and m.device_id = d.id
        ) m on true
        where d.tenant_id = $1 and {where}
        order by d.id limit {most}
        """,  # noqa: S608
        *found.arguments,
    )


async def lock_matching(tx: Transaction, found: Condition, limit: int) -> list[Row]:
    """(id, name, tags), locked in the order of their ids, so that two calls cannot deadlock."""
    joins, where, most = " ".join(found.joins), found.where, found.bind(limit, "bigint")
    return await tx.fetch(
        f"""
        select d.id, d.name, d.tags from devices d {joins}
        where d.tenant_id = $1 and {where}
        order by d.id limit {most} for update of d
        """,  # noqa: S608
        *found.arguments,
    )
