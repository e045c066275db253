"""The registry as a CSV file, a page of devices a transaction, so that a slow reader holds none."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

from edgeflow_cloud import devices, organizations
from edgeflow_cloud.devices import Device, Filter, Place, Sort
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.inventory.model import COLUMNS, SHOWN, guard, join_groups
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import ProjectId
from edgeflow_cloud.kernel.paging import Page, decode_cursor
from edgeflow_cloud.kernel.principal import Principal

PAGE = 500
MARK = "\ufeff"
"""At the file's beginning: without it, Excel takes UTF-8 for something else."""


async def pages(
    context: Context, principal: Principal, wanted: Filter, separator: str
) -> AsyncIterator[bytes]:
    """The file, the oldest device first. Raises QueryInvalid, NotFound (`group_not_found`) before its first part."""
    first, cursor = True, None
    while first or cursor is not None:
        after = decode_cursor(cursor, length=3) if cursor else ()
        async with context.db.tenant_tx(principal) as tx:
            page = await devices.list_devices(
                tx, principal, wanted, Page(PAGE, 0, after), Sort("created"), total=False
            )
            named = sorted({item.project_id for item in page.items if item.project_id is not None})
            projects = await organizations.name_projects(tx, principal, named) if named else {}
        rows = [_cells(device, projects) for device in page.items]
        text = as_csv([(*COLUMNS, *SHOWN), *rows] if first else rows, separator)
        yield (MARK + text if first else text).encode()
        first, cursor = False, page.next_cursor


def as_csv(rows: Iterable[Sequence[str]], separator: str = ",") -> str:
    """The lines of these cells."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue()


def _cells(device: Device, projects: dict[ProjectId, str]) -> list[str]:
    place = device.place or Place()
    project = "" if device.project_id is None else projects.get(device.project_id, "")
    return [
        ids.encode(ids.DEVICE, device.device_id),
        guard(device.name),
        guard(" ".join(device.tags)),
        guard(device.notes),
        guard(place.name or ""),
        "" if place.latitude is None else repr(place.latitude),
        "" if place.longitude is None else repr(place.longitude),
        guard(join_groups(device.groups or ())),
        guard(project),
        device.status.value,
        _time(device.last_seen_at),
        guard(device.firmware_version or ""),
        guard(device.agent_version or ""),
        _time(device.created_at),
    ]


def _time(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="seconds")
