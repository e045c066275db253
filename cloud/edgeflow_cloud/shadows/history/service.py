"""Use cases of a shadow's history: reading it, and letting the old go."""

from datetime import datetime, timedelta

from edgeflow_cloud import quotas
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.errors import Invalid
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.paging import Page, Slice, encode_cursor
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.shadows import service
from edgeflow_cloud.shadows.history import queries
from edgeflow_cloud.shadows.history.model import Changed, Difference, Version, differences
from edgeflow_cloud.shadows.history.versions import find_version as make_version
from edgeflow_cloud.shadows.model import Shadow

KEEP = timedelta(days=max(plan.raw_days for plan in quotas.PLANS.values()))
"""How long the longest plan keeps a version; `forget_old` is told the others."""
_TENANTS = 1_000


async def list_versions(
    tx: Transaction, principal: Principal, device_id: DeviceId, page: Page
) -> Slice[Version]:
    """One page of what changed the shadow, the newest first. Raises NotFound (`device_not_found`)."""
    await service.find_shadow(tx, principal, device_id)
    below = _version(page) if page.after else None
    offset = 0 if page.after else page.offset
    rows = await queries.select_versions(tx, principal.tenant_id, device_id, below, offset, page.limit + 1)
    items = [_entry(row) for row in rows[: page.limit]]
    return Slice(items, encode_cursor(str(items[-1].version)) if len(rows) > page.limit else None)


async def find_version(tx: Transaction, principal: Principal, device_id: DeviceId, version: int) -> Shadow:
    """The whole shadow as it was then. Raises NotFound (`device_not_found`, `shadow_version_not_kept`)."""
    current = await service.find_shadow(tx, principal, device_id)
    return await make_version(tx, principal.tenant_id, current, version)


async def compare_versions(
    tx: Transaction, principal: Principal, device_id: DeviceId, first: int | None, second: int | None
) -> tuple[int, int, list[Difference]]:
    """Both versions, and every leaf that differs. `second` None: the current one; `first` None: the one before that.

    Raises as `find_version`.
    """
    current = await service.find_shadow(tx, principal, device_id)
    after = current if second is None else await make_version(tx, principal.tenant_id, current, second)
    wanted = max(after.version - 1, 0) if first is None else first
    before = await make_version(tx, principal.tenant_id, current, wanted)
    return before.version, after.version, differences(before, after)


async def forget_old(tx: Transaction, before: datetime, limit: int) -> int:
    """Let go what is older than KEEP (`before`), and of organizations on shorter plans what is older than theirs."""
    gone = await queries.delete_old(tx, before, limit)
    for plan in quotas.PLANS.values():
        shorter = KEEP - timedelta(days=plan.raw_days)
        after = None
        while shorter and gone < limit:
            tenants = await quotas.list_tenants(tx, plan.name, after, _TENANTS)
            if tenants:
                gone += await queries.delete_old_of(tx, tenants, before + shorter, limit - gone)
            if len(tenants) < _TENANTS:
                break
            after = tenants[-1]
    return gone


def _version(page: Page) -> int:
    text = page.after[0]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid("This cursor is not one of ours; start again without it.", code="bad_cursor")
    return int(text)


def _entry(row: Row) -> Version:
    fields = dict(row)
    fields["changed"] = Changed(fields["changed"])
    return Version(**fields)
