"""Making earlier versions of a shadow from what is kept of them."""

from collections.abc import Sequence
from dataclasses import replace

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.shadows.history import queries
from edgeflow_cloud.shadows.history.model import SNAPSHOT_EVERY, VersionNotKept, walk_back
from edgeflow_cloud.shadows.model import Shadow
from edgeflow_protocol.shadow import Document, merge

_PAGE, _STEPS = 200, 50


async def find_version(tx: Transaction, tenant_id: TenantId, current: Shadow, version: int) -> Shadow:
    """The whole shadow as it was at `version`. Raises VersionNotKept."""
    if version == current.version:
        return current
    row = await queries.select_version(tx, tenant_id, current.device_id, version)
    if row is None and version != 0:  # before the first update it was empty
        raise VersionNotKept(version, current.version)
    newer = await _newer(tx, tenant_id, current, version)
    steps = newer.version - version
    if steps > SNAPSHOT_EVERY:
        raise VersionNotKept(version, current.version)
    undos = await queries.select_undos(tx, tenant_id, current.device_id, version, newer.version)
    if len(undos) != steps:  # what the device reported since is not kept any more
        raise VersionNotKept(version, current.version)
    made = walk_back(newer, [undo["undo"] for undo in undos], version)
    return made if row is None else replace(made, updated_at=row["at"])


async def find_desired(tx: Transaction, tenant_id: TenantId, current: Shadow, version: int) -> Document:
    """What was wanted at `version`, also where what was reported then is not kept. Raises VersionNotKept."""
    device_id = current.device_id
    if version > current.version or not await _reaches(tx, tenant_id, device_id, current, version):
        raise VersionNotKept(version, current.version)
    newer = await _newer(tx, tenant_id, current, version)
    desired, upto = newer.desired, newer.version
    for _ in range(_STEPS):
        undos = await queries.select_wishes(tx, tenant_id, device_id, version, upto, _PAGE)
        desired = _unwish(desired, undos)
        if len(undos) < _PAGE:
            return desired
        upto = undos[-1]["version"] - 1
    raise VersionNotKept(version, current.version)  # ten thousand changes ago, and no snapshot in between


async def _newer(tx: Transaction, tenant_id: TenantId, current: Shadow, version: int) -> Shadow:
    """The next version whose whole state is kept: the current one at the latest."""
    row = await queries.select_snapshot(tx, tenant_id, current.device_id, version)
    if row is None:
        return current
    return Shadow(
        device_id=current.device_id, version=row["version"], updated_at=row["at"], **row["snapshot"]
    )


async def _reaches(
    tx: Transaction, tenant_id: TenantId, device_id: DeviceId, current: Shadow, version: int
) -> bool:
    return version == current.version or await queries.reaches_back_to(tx, tenant_id, device_id, version)


def _unwish(desired: Document, undos: Sequence[Row]) -> Document:
    for row in undos:
        desired = merge(desired, row["undo"])
    return desired
