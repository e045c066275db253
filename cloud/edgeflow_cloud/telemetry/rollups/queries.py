"""Every SQL statement on rollups and on what is due of them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import cast

from edgeflow_cloud.infra.db import Row as Record
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.telemetry.model import METRICS, Window
from edgeflow_cloud.telemetry.rollups.model import DAY, HOUR, MINUTE, NAMES, Due, Scope

_MOST = "1e290::double precision"
"""A device may send any finite number, but PostgreSQL refuses a sum beyond the largest: then nobody's would be made."""


def _capped(value: str) -> str:
    return f"case when {value} > {_MOST} then {_MOST} when {value} < -{_MOST} then -{_MOST} else {value} end"


def _list(template: str) -> str:
    return ", ".join(template.format(i=index + 1, m=name) for index, name in enumerate(METRICS))


_DUE = "unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[]) d (tenant_id, device_id, start_at, end_at)"
_JOIN = """
    on s.tenant_id = d.tenant_id and s.device_id = d.device_id and s.time >= d.start_at and s.time < d.end_at
where s.time >= $5 and s.time < $6"""
_SET = "counts = excluded.counts, sums = excluded.sums, lows = excluded.lows, highs = excluded.highs"

_BIN = "timestamptz '2000-01-01 00:00Z'"
_OF_SAMPLES = f"""
    array[{_list("count(s.{m})")}]::integer[],
    array[{", ".join(f"sum({_capped('s.' + name)})" for name in METRICS)}]::double precision[],
    array[{_list("min(s.{m})::double precision")}],
    array[{_list("max(s.{m})::double precision")}]"""
_OF_ROLLUPS = f"""
    array[{_list("coalesce(sum(s.counts[{i}]), 0)")}]::integer[],
    array[{_list("sum(s.sums[{i}])")}], array[{_list("min(s.lows[{i}])")}], array[{_list("max(s.highs[{i}])")}]"""

_SYSTEM_1M = f"""
insert into system_1m (tenant_id, device_id, time, counts, sums, lows, highs)
select d.tenant_id, d.device_id, date_bin('1 minute', s.time, {_BIN}), {_OF_SAMPLES}
from {_DUE} join system_samples s {_JOIN}
group by 1, 2, 3
on conflict (tenant_id, device_id, time) do update set {_SET}
"""  # noqa: S608 - constants of this file
_CUSTOM_1M = f"""
insert into custom_1m (tenant_id, device_id, name, time, counts, sums, lows, highs)
select d.tenant_id, d.device_id, s.name, date_bin('1 minute', s.time, {_BIN}),
    count(*), sum({_capped("s.value")}), min(s.value), max(s.value)
from {_DUE} join custom_samples s {_JOIN}
group by 1, 2, 3, 4
on conflict (tenant_id, device_id, name, time) do update set {_SET}
"""  # noqa: S608 - constants of this file
_SYSTEM_1H = f"""
insert into system_1h (tenant_id, device_id, time, counts, sums, lows, highs)
select d.tenant_id, d.device_id, date_bin('1 hour', s.time, {_BIN}), {_OF_ROLLUPS}
from {_DUE} join system_1m s {_JOIN}
group by 1, 2, 3
on conflict (tenant_id, device_id, time) do update set {_SET}
"""  # noqa: S608 - constants of this file
_CUSTOM_1H = f"""
insert into custom_1h (tenant_id, device_id, name, time, counts, sums, lows, highs)
select d.tenant_id, d.device_id, s.name, date_bin('1 hour', s.time, {_BIN}),
    sum(s.counts), sum(s.sums), min(s.lows), max(s.highs)
from {_DUE} join custom_1m s {_JOIN}
group by 1, 2, 3, 4
on conflict (tenant_id, device_id, name, time) do update set {_SET}
"""  # noqa: S608 - constants of this file
_SYSTEM_1D = f"""
insert into system_1d (tenant_id, device_id, time, counts, sums, lows, highs)
select d.tenant_id, d.device_id, date_bin('1 day', s.time, {_BIN}), {_OF_ROLLUPS}
from {_DUE} join system_1h s {_JOIN}
group by 1, 2, 3
on conflict (tenant_id, device_id, time) do update set {_SET}
"""  # noqa: S608 - constants of this file
_CUSTOM_1D = f"""
insert into custom_1d (tenant_id, device_id, name, time, counts, sums, lows, highs)
select d.tenant_id, d.device_id, s.name, date_bin('1 day', s.time, {_BIN}),
    sum(s.counts), sum(s.sums), min(s.lows), max(s.highs)
from {_DUE} join custom_1h s {_JOIN}
group by 1, 2, 3, 4
on conflict (tenant_id, device_id, name, time) do update set {_SET}
"""  # noqa: S608 - constants of this file

_ROLL = {
    MINUTE: (_SYSTEM_1M, _CUSTOM_1M),
    HOUR: (_SYSTEM_1H, _CUSTOM_1H),
    DAY: (_SYSTEM_1D, _CUSTOM_1D),
}


async def roll(tx: Transaction, step: int, dues: Sequence[Due]) -> None:
    """Compute the stretches' rollups of `step` anew, whatever is there."""
    arguments = (
        [due.tenant_id for due in dues],
        [due.device_id for due in dues],
        [due.start for due in dues],
        [due.end for due in dues],
        min(due.start for due in dues),
        max(due.end for due in dues),
    )
    for statement in _ROLL[step]:
        await tx.execute(statement, *arguments)


async def claim_unrolled(tx: Transaction, limit: int) -> int:
    """Move what runs have unrolled into what is due at a minute, up to `limit` runs; answers how many."""
    done = await tx.fetchval(
        """
        with taken as (
            select tenant_id, device_id, boot_id, unrolled_from, unrolled_to from telemetry_cursors
            where unrolled_from is not null
            order by tenant_id, device_id, boot_id
            limit $1
            for update skip locked
        ), cleared as (
            update telemetry_cursors c set unrolled_from = null, unrolled_to = null
            from taken t
            where c.tenant_id = t.tenant_id and c.device_id = t.device_id and c.boot_id = t.boot_id
        ), due as (
            insert into rollups_due as d (tenant_id, device_id, step, start_at, end_at)
            select tenant_id, device_id, 60,
                date_bin('60 seconds', min(unrolled_from), timestamptz '2000-01-01 00:00Z'),
                date_bin('60 seconds', max(unrolled_to), timestamptz '2000-01-01 00:00Z') + interval '60 seconds'
            from taken
            group by 1, 2
            order by 1, 2
            on conflict (tenant_id, device_id, step) do update set
                start_at = least(d.start_at, excluded.start_at), end_at = greatest(d.end_at, excluded.end_at)
        )
        select count(*) from taken
        """,
        limit,
    )
    return cast(int, done)


async def take_due(tx: Transaction, step: int, limit: int) -> list[Due]:
    """Take stretches out of what is due; they are back if the transaction does not commit."""
    rows = await tx.fetch(
        """
        with taken as (
            select tenant_id, device_id, step from rollups_due
            where step = $1
            order by tenant_id, device_id
            limit $2
            for update skip locked
        )
        delete from rollups_due d using taken t
        where d.tenant_id = t.tenant_id and d.device_id = t.device_id and d.step = t.step
        returning d.tenant_id, d.device_id, d.start_at, d.end_at
        """,
        step,
        limit,
    )
    dues = [Due(row["tenant_id"], row["device_id"], row["start_at"], row["end_at"]) for row in rows]
    return sorted(dues, key=lambda due: (str(due.tenant_id), str(due.device_id)))


async def add_due(tx: Transaction, step: int, dues: Sequence[Due]) -> None:
    """Note stretches as due at `step`; one that is due already grows."""
    await tx.execute(
        """
        insert into rollups_due as d (tenant_id, device_id, step, start_at, end_at)
        select n.tenant_id, n.device_id, $5, n.start_at, n.end_at
        from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
            n (tenant_id, device_id, start_at, end_at)
        order by 1, 2
        on conflict (tenant_id, device_id, step) do update set
            start_at = least(d.start_at, excluded.start_at), end_at = greatest(d.end_at, excluded.end_at)
        """,
        [due.tenant_id for due in dues],
        [due.device_id for due in dues],
        [due.start for due in dues],
        [due.end for due in dues],
        step,
    )


async def make_minute_partitions(tx: Transaction, days: Sequence[date]) -> None:
    await tx.execute(
        """
        select make_day_partition(parent, day)
        from unnest(array['system_1m', 'custom_1m']) parent, unnest($1::date[]) day
        """,
        list(days),
    )


async def delete_rollups(tx: Transaction, tenant_id: TenantId, device_id: DeviceId) -> None:
    """Delete all of a device that is gone. What is due goes first: a run that is at work is waited for thereby."""
    await tx.execute("delete from rollups_due where tenant_id = $1 and device_id = $2", tenant_id, device_id)
    await tx.execute("delete from system_1m where tenant_id = $1 and device_id = $2", tenant_id, device_id)
    await tx.execute("delete from custom_1m where tenant_id = $1 and device_id = $2", tenant_id, device_id)
    await tx.execute("delete from system_1h where tenant_id = $1 and device_id = $2", tenant_id, device_id)
    await tx.execute("delete from custom_1h where tenant_id = $1 and device_id = $2", tenant_id, device_id)
    await tx.execute("delete from system_1d where tenant_id = $1 and device_id = $2", tenant_id, device_id)
    await tx.execute("delete from custom_1d where tenant_id = $1 and device_id = $2", tenant_id, device_id)


DELETE_OLD_SYSTEM_1H = """
delete from system_1h where ctid in (select ctid from system_1h where time < $1 order by time limit $2)"""
DELETE_OLD_CUSTOM_1H = """
delete from custom_1h where ctid in (select ctid from custom_1h where time < $1 order by time limit $2)"""
DELETE_OLD_SYSTEM_1D = """
delete from system_1d where ctid in (select ctid from system_1d where time < $1 order by time limit $2)"""
DELETE_OLD_CUSTOM_1D = """
delete from custom_1d where ctid in (select ctid from custom_1d where time < $1 order by time limit $2)"""


async def select_unrolled(tx: Transaction, device_ids: Sequence[DeviceId]) -> dict[DeviceId, datetime]:
    """From when on rollups are not up to date, of those of the devices that have such a time."""
    rows = await tx.fetch(
        "select device_id, since from device_unrolled where device_id = any ($1::uuid[])", list(device_ids)
    )
    return {row["device_id"]: row["since"] for row in rows}


_PARTS = {
    "avg": "sum({s}) / nullif(sum({c}), 0)",
    "min": "min({l})",
    "max": "max({h})",
    "sum": "sum({s})",
    "count": "sum({c})::double precision",
}
_USED = {"avg": "cs", "min": "l", "max": "h", "sum": "s", "count": "c"}
_ARRAYS = {"c": "counts", "s": "sums", "l": "lows", "h": "highs"}
_SCOPE = "unnest($2::uuid[], $3::timestamptz[], $4::integer[]) scope (device_id, tail, key)"


def _raw_part(part: str, name: str) -> str:
    match part:
        case "c":
            return f"(v.{name} is not null)::integer"
        case "s":
            return _capped(f"v.{name}")
        case _:
            return f"v.{name}::double precision"


async def select_system(
    tx: Transaction,
    tenant_id: TenantId,
    scope: Scope,
    window: Window,
    metrics: Sequence[str],
    aggregate: str,
    step: int,
) -> list[Record]:
    """Rows (key, bucket, a value of each of `metrics`), from rollups of `step` (0: none) and samples behind them.

    `metrics` are names of METRICS, `aggregate` one of AGGREGATES, nothing else.
    """
    table = NAMES.get(step, "1m")  # without a step the tails leave nothing for it
    indexes = [METRICS.index(name) for name in metrics]
    used = _USED[aggregate]
    columns = [(part, index) for index in indexes for part in used]
    ready = ", ".join(f"v.{_ARRAYS[part]}[{index + 1}] as {part}{index}" for part, index in columns)
    raw = ", ".join(f"{_raw_part(part, METRICS[index])} as {part}{index}" for part, index in columns)
    values = ", ".join(
        _PARTS[aggregate].format(**{part: f"{part}{index}" for part in "cslh"}) for index in indexes
    )
    return await tx.fetch(
        f"""
        select key, floor(extract(epoch from time) / $7::bigint)::bigint * $7::bigint as bucket, {values}
        from (
            select scope.key, v.time, {ready}
            from {_SCOPE} join system_{table} v on v.tenant_id = $1 and v.device_id = scope.device_id
                and v.time >= $5::timestamptz and v.time < least(scope.tail, $6::timestamptz)
            union all
            select scope.key, v.time, {raw}
            from {_SCOPE} cross join lateral (
                select * from device_samples s
                where s.tenant_id = $1 and s.device_id = scope.device_id
                    and s.time >= greatest(scope.tail, $5::timestamptz) and s.time < $6::timestamptz
                offset 0
            ) v
        ) parts
        group by 1, 2
        """,  # noqa: S608 - the names come from METRICS and the tables above
        tenant_id, scope.device_ids, scope.tails, scope.keys, window.start, window.end, window.step,
    )  # fmt: skip


async def select_custom(
    tx: Transaction,
    tenant_id: TenantId,
    scope: Scope,
    window: Window,
    names: Sequence[str],
    aggregate: str,
    step: int,
) -> list[Record]:
    """Rows (key, bucket, name, value) of values that devices name themselves; the same otherwise."""
    table, value = NAMES.get(step, "1m"), _PARTS[aggregate].format(c="c", s="s", l="l", h="h")
    return await tx.fetch(
        f"""
        select key, floor(extract(epoch from time) / $7::bigint)::bigint * $7::bigint as bucket, name,
            {value} as value
        from (
            select scope.key, v.time, v.name, v.counts as c, v.sums as s, v.lows as l, v.highs as h
            from {_SCOPE} join custom_{table} v on v.tenant_id = $1 and v.device_id = scope.device_id
                and v.name = any ($8::text[])
                and v.time >= $5::timestamptz and v.time < least(scope.tail, $6::timestamptz)
            union all
            select scope.key, v.time, v.name, 1 as c, {_capped("v.value")} as s, v.value as l, v.value as h
            from {_SCOPE} cross join lateral (
                select * from device_custom_samples s
                where s.tenant_id = $1 and s.device_id = scope.device_id and s.name = any ($8::text[])
                    and s.time >= greatest(scope.tail, $5::timestamptz) and s.time < $6::timestamptz
                offset 0
            ) v
        ) parts
        group by 1, 2, 3
        """,  # noqa: S608 - constants of this file
        tenant_id, scope.device_ids, scope.tails, scope.keys, window.start, window.end, window.step, list(names),
    )  # fmt: skip
