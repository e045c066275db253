"""Use cases of provisioning, a verb each."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from edgeflow_cloud import audit, devices
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import BatchId, DeviceId, ProvisioningCodeId, TenantId
from edgeflow_cloud.kernel.paging import Page, Slice, encode_cursor
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.provisioning import queries
from edgeflow_cloud.provisioning.events import CodeDeleted, DeviceProvisioned, DeviceReclaimed
from edgeflow_cloud.provisioning.model import (
    CodeRefused,
    CodeStatus,
    ProvisioningCode,
    clean_facts,
    default_name,
    hardware_key,
    no_such_code,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a device gets for its code. `api_key` is shown only here; `reclaimed`: the device was known."""

    device_id: DeviceId
    api_key: str
    reclaimed: bool


async def find_code(tx: Transaction, principal: Principal, code_id: ProvisioningCodeId) -> ProvisioningCode:
    """The code. Raises NotFound (`provisioning_code_not_found`), also for another organization's."""
    row = await queries.select_code(tx, principal.tenant_id, code_id)
    if row is None:
        raise no_such_code()
    return _code(row)


async def find_code_of(tx: Transaction, principal: Principal, device_id: DeviceId) -> ProvisioningCode | None:
    """The code that the device came by, None for a device without one."""
    row = await queries.select_by_device(tx, principal.tenant_id, device_id)
    return None if row is None else _code(row)


async def list_codes(
    tx: Transaction,
    principal: Principal,
    status: CodeStatus | None,
    page: Page,
    now: datetime,
    batch_id: BatchId | None = None,
) -> Slice[ProvisioningCode]:
    """One page, the newest first. The whole count comes with the first page only."""
    after = ids.decode(ids.PROVISIONING_CODE, page.after[0]) if page.after else None
    rows = await queries.select_codes(
        tx,
        principal.tenant_id,
        status,
        batch_id,
        now,
        after,
        0 if page.after else page.offset,
        page.limit + 1,
    )
    codes = [_code(row) for row in rows[: page.limit]]
    return Slice(
        codes,
        encode_cursor(_wire(codes[-1].id)) if len(rows) > page.limit else None,
        None if page.after else await queries.count_codes(tx, principal.tenant_id, status, batch_id, now),
    )


async def delete_code(tx: Transaction, principal: Principal, code_id: ProvisioningCodeId) -> None:
    """Revoke a code. The device that used it stays, but cannot show it again. Raises NotFound."""
    row = await queries.delete_code(tx, principal.tenant_id, code_id)
    if row is None:
        raise no_such_code()
    await audit.record(
        tx,
        principal,
        "provisioning_code.delete",
        "provisioning_code",
        _wire(code_id),
        old={"hint": row["hint"]},
    )
    await announce(tx, CodeDeleted(tenant_id=principal.tenant_id, code_id=code_id))


async def find_owner(tx: Transaction, hashed: bytes) -> TenantId:
    """The organization whose code this is; for an unknown one an organization that is none, so that the
    steps that follow, and the time they take, are the same. Takes a `lookup` transaction."""
    return TenantId(await queries.select_owner(tx, hashed) or UUID(int=0))


async def claim(
    tx: Transaction,
    principal: Principal,
    hashed: bytes,
    *,
    hardware: dict[str, object],
    network: dict[str, object],
    now: datetime,
) -> Claim:
    """Turn a code into a device, or give the device back to the hardware that used the code before.

    `principal` acts for the organization that `find_owner` named. Raises CodeRefused, whatever the cause.
    """
    hardware, network = clean_facts(hardware), clean_facts(network)
    key = hardware_key(hardware, network)
    row = await queries.consume(tx, principal.tenant_id, hashed, key, now)
    if row is not None:
        return await _provision(tx, principal, _code(row), hardware, network)
    row = await queries.select_by_hash(tx, principal.tenant_id, hashed)
    if row is None:
        raise CodeRefused
    return await _reclaim(tx, principal, _code(row), key, hardware, network, now)


async def _provision(
    tx: Transaction,
    principal: Principal,
    code: ProvisioningCode,
    hardware: dict[str, object],
    network: dict[str, object],
) -> Claim:
    device, api_key = await devices.create_device(
        tx,
        principal,
        name=default_name(code.name, network, code.hint),
        tags=code.tags,
        hardware=hardware,
        network=network,
        project_id=code.project_id,
        action="device.provision",
    )
    if code.group_id is not None:
        await devices.change_members(tx, principal, code.group_id, add=[device.device_id])
    await queries.set_device(tx, principal.tenant_id, code.id, device.device_id)
    await announce(
        tx, DeviceProvisioned(tenant_id=principal.tenant_id, code_id=code.id, device_id=device.device_id)
    )
    return Claim(device.device_id, api_key, reclaimed=False)


async def _reclaim(
    tx: Transaction,
    principal: Principal,
    code: ProvisioningCode,
    key: str | None,
    hardware: dict[str, object],
    network: dict[str, object],
    now: datetime,
) -> Claim:
    if code.device_id is None:
        raise CodeRefused
    device = await devices.find_device(tx, principal, code.device_id)
    if not code.may_reclaim(key, device.negotiated_at, now):
        raise CodeRefused
    api_key = await devices.rotate_key(tx, principal, device.device_id)
    await devices.record_facts(tx, principal, device.device_id, hardware=hardware, network=network)
    await audit.record(
        tx,
        principal,
        "device.reclaim",
        "device",
        ids.encode(ids.DEVICE, device.device_id),
        new={"provisioning_code": _wire(code.id)},
    )
    await announce(
        tx, DeviceReclaimed(tenant_id=principal.tenant_id, code_id=code.id, device_id=device.device_id)
    )
    return Claim(device.device_id, api_key, reclaimed=True)


def _code(row: Row) -> ProvisioningCode:
    fields = dict(row)
    fields["tags"] = tuple(fields["tags"])
    return ProvisioningCode(**fields)


def _wire(code_id: ProvisioningCodeId) -> str:
    return ids.encode(ids.PROVISIONING_CODE, code_id)
