"""Reading what devices told of their work."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from edgeflow_cloud import devices
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.errors import Invalid, NotFound
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.paging import Slice, encode_cursor
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.telemetry.reports import queries

LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a list is wanted: a stretch of time, and a page of it."""

    start: datetime | None
    end: datetime | None
    limit: int
    after: tuple[str, ...] = ()


async def list_executions(
    tx: Transaction,
    principal: Principal,
    device_id: DeviceId,
    part: Part,
    *,
    flow_id: str | None = None,
    status: str | None = None,
) -> Slice[Row]:
    """A device's executions, the newest first. Raises NotFound (`device_not_found`), Invalid (`bad_cursor`)."""
    await devices.find_device(tx, principal, device_id)
    after = (_time(part.after[0]), part.after[1]) if part.after else None
    rows = await queries.select_executions(
        tx, principal.tenant_id, device_id, flow_id, status, part.start, part.end, after, part.limit + 1
    )
    return _slice(rows, part.limit, "started_at", "execution_id")


async def find_execution(
    tx: Transaction, principal: Principal, device_id: DeviceId, execution_id: str
) -> Row:
    """One execution with its nodes. Raises NotFound."""
    await devices.find_device(tx, principal, device_id)
    row = await queries.select_execution(tx, principal.tenant_id, device_id, execution_id)
    if row is None:
        raise NotFound(
            "The device has told of no such execution, or it was too long ago.", code="execution_not_found"
        )
    return row


async def list_events(
    tx: Transaction, principal: Principal, device_id: DeviceId, part: Part, *, level: str | None = None
) -> Slice[Row]:
    """A device's events of `level` or worse, the newest first. Raises NotFound, Invalid (`bad_cursor`)."""
    await devices.find_device(tx, principal, device_id)
    rows = await queries.select_events(
        tx, principal.tenant_id, device_id, _from(level), part.start, part.end, _after(part), part.limit + 1
    )
    return _slice(rows, part.limit, "time", "id")


async def list_lines(
    tx: Transaction,
    principal: Principal,
    device_id: DeviceId,
    part: Part,
    *,
    level: str | None = None,
    source: str | None = None,
    search: str | None = None,
) -> Slice[Row]:
    """A device's log lines of `level` or worse, the newest first. Raises NotFound, Invalid (`bad_cursor`)."""
    await devices.find_device(tx, principal, device_id)
    rows = await queries.select_lines(
        tx, principal.tenant_id, device_id, _from(level), source, search, part.start, part.end,
        _after(part), part.limit + 1,
    )  # fmt: skip
    return _slice(rows, part.limit, "time", "id")


def _from(level: str | None) -> tuple[str, ...]:
    return LEVELS if level is None else LEVELS[LEVELS.index(level) :]


def _slice(rows: list[Row], limit: int, time: str, key: str) -> Slice[Row]:
    shown = rows[:limit]
    last = shown[-1] if len(rows) > limit else None
    return Slice(shown, None if last is None else encode_cursor(_text(last[time]), str(last[key])))


def _text(time: object) -> str:
    return cast(datetime, time).isoformat()


def _after(part: Part) -> tuple[datetime, UUID] | None:
    if not part.after:
        return None
    try:
        return _time(part.after[0]), UUID(part.after[1])
    except ValueError:
        raise _bad_cursor() from None


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _bad_cursor() from None
    if found.tzinfo is None:
        raise _bad_cursor()
    return found


def _bad_cursor() -> Invalid:
    return Invalid("This cursor is not one of ours; start again without it.", code="bad_cursor")
