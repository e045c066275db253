"""Use cases of flow keys and bundles."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from edgeflow_cloud import audit, devices
from edgeflow_cloud.flow_keys import queries
from edgeflow_cloud.flow_keys.events import FlowKeysChanged
from edgeflow_cloud.flow_keys.model import (
    FlowKey,
    SignedBundle,
    make_key,
    rotated_meanwhile,
    sign,
)
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.infra.sealing import CannotOpen, Sealed, is_current, seal, unseal
from edgeflow_cloud.infra.secrets import Secrets
from edgeflow_cloud.kernel.errors import Invalid, Unavailable
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_protocol import DocumentError
from edgeflow_protocol.bundle import Version, digest, write_bundle

if TYPE_CHECKING:
    from edgeflow_cloud.infra.context import Context

log = structlog.get_logger("edgeflow.flow_keys")
_BATCH = 100


async def ensure_keys(
    tx: Transaction, principal: Principal, secrets: Secrets, now: datetime
) -> list[FlowKey]:
    """The organization's keys, the oldest first; the last one signs. The first is made here if there is none."""
    keys = await _select(tx, principal.tenant_id)
    if keys:
        return keys
    await _add(tx, principal, secrets, None, None, now)  # Whoever was quicker made it.
    return await _select(tx, principal.tenant_id)


async def rotate_key(
    tx: Transaction, principal: Principal, secrets: Secrets, *, overlap: timedelta, now: datetime
) -> list[FlowKey]:
    """A new key signs from now on; what the one before signed is good for `overlap` more. Returns all keys.

    Raises Conflict (`flow_key_rotated`), Unavailable (`master_key_missing`).
    """
    keys = await ensure_keys(tx, principal, secrets, now)
    before = keys[-1]
    private = await _private(tx, principal.tenant_id, before.key_id, secrets, now)
    if not await _add(tx, principal, secrets, before, private, now):
        raise rotated_meanwhile()
    await queries.retire_key(tx, principal.tenant_id, before.key_id, now + overlap)
    return await _select(tx, principal.tenant_id)


async def list_for_device(
    tx: Transaction, principal: Principal, device_id: DeviceId, secrets: Secrets, now: datetime
) -> list[FlowKey]:
    """The keys, for one of the organization's devices. Raises NotFound for a device that is not."""
    await devices.find_device(tx, principal, device_id)
    return await ensure_keys(tx, principal, secrets, now)


async def sign_bundle(
    tx: Transaction,
    principal: Principal,
    secrets: Secrets,
    *,
    flow_id: str,
    version: Version | None,
    definition: Mapping[str, object],
    now: datetime,
) -> SignedBundle:
    """Sign a flow. Without `version` it is called after its content, so the same flow is the same version.

    Raises Invalid (`bundle_invalid`, `bundle_too_large`), Unavailable (`master_key_missing`).
    """
    try:
        if version is None:
            version = digest(write_bundle(flow_id, 0, definition))[:16]
        data = write_bundle(flow_id, version, definition)
    except DocumentError as error:
        raise Invalid(str(error), code=error.code) from error
    keys = await ensure_keys(tx, principal, secrets, now)
    private = await _private(tx, principal.tenant_id, keys[-1].key_id, secrets, now)
    bundle = SignedBundle(
        flow_id=flow_id,
        version=version,
        data=data,
        sha256=digest(data),
        signature=sign(private, data),
        key_id=keys[-1].key_id,
    )
    await audit.record(
        tx,
        principal,
        "flow.sign",
        "flow",
        flow_id,
        new={"version": version, "sha256": bundle.sha256, "key_id": bundle.key_id},
    )
    return bundle


async def _add(
    tx: Transaction,
    principal: Principal,
    secrets: Secrets,
    before: FlowKey | None,
    private: bytes | None,
    now: datetime,
) -> bool:
    """Make a key. False when the one before has a successor already; then nothing happened."""
    key = make_key(before, private)
    sealed = seal(secrets, key.private_key, purpose=_purpose(principal.tenant_id, key.key_id))
    if not await queries.insert_key(tx, principal.tenant_id, key, sealed, principal.wire_id, now):
        return False
    await audit.record(
        tx,
        principal,
        "flow_key.rotate" if before else "flow_key.create",
        "flow_key",
        key.key_id,
        old={"key_id": before.key_id} if before else None,
        new={"key_id": key.key_id},
    )
    await announce(tx, FlowKeysChanged(tenant_id=principal.tenant_id))
    return True


async def _select(tx: Transaction, tenant_id: TenantId) -> list[FlowKey]:
    """The chain in its order: each key behind the one that endorsed it."""
    following = {row["endorsed_by"]: _key(row) for row in await queries.select_keys(tx, tenant_id)}
    chain: list[FlowKey] = []
    while (key := following.pop(chain[-1].key_id if chain else "", None)) is not None:
        chain.append(key)
    return chain


async def _private(
    tx: Transaction, tenant_id: TenantId, key_id: str, secrets: Secrets, now: datetime
) -> bytes:
    sealed = await queries.select_sealed(tx, tenant_id, key_id)
    try:
        if sealed is None:
            raise CannotOpen("the key was retired in this moment")
        return unseal(secrets, sealed, purpose=_purpose(tenant_id, key_id), now=now)
    except CannotOpen as error:
        log.error("flow_keys.cannot_open", key_id=key_id, reason=str(error))
        raise Unavailable(
            "The key that signs this organization's flows cannot be opened: this installation lacks the key that "
            "protects it. Tell the operator.",
            retry_after=60,
            code="master_key_missing",
        ) from None


def _key(row: Row) -> FlowKey:
    return FlowKey(**dict(row))


def _purpose(tenant_id: UUID, key_id: str) -> str:
    return f"flow key {tenant_id} {key_id}"


async def _reseal(context: "Context") -> int:
    """Seal every private half with the master key in use. Raises CannotOpen when one cannot be opened."""
    changed, tenant, after = 0, UUID(int=0), ""
    while True:
        async with context.db.system_tx("reseal flow keys") as tx:
            rows = await queries.select_all_sealed(tx, tenant, after, _BATCH)
            fresh = [
                (
                    row["tenant_id"],
                    row["key_id"],
                    _again(context, row["tenant_id"], row["key_id"], row["sealed"]),
                )
                for row in rows
                if not is_current(context.secrets, row["sealed"])
            ]
            await queries.replace_sealed(tx, fresh)
        changed += len(fresh)
        if len(rows) < _BATCH:
            return changed
        tenant, after = rows[-1]["tenant_id"], rows[-1]["key_id"]


def _again(context: "Context", tenant_id: UUID, key_id: str, sealed: bytes) -> bytes:
    purpose = _purpose(tenant_id, key_id)
    private = unseal(context.secrets, sealed, purpose=purpose, now=context.clock.now())
    return seal(context.secrets, private, purpose=purpose)


SEALED = Sealed(what="keys that sign flows", reseal=_reseal)
