"""Making codes, one or a thousand, and taking a batch back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from edgeflow_cloud import audit, devices, organizations
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import BatchId, GroupId, ProjectId, ProvisioningCodeId
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.provisioning import queries
from edgeflow_cloud.provisioning.events import BatchCreated, BatchRevoked, CodeCreated
from edgeflow_cloud.provisioning.model import (
    LIFE_DEFAULT,
    RECLAIM_WINDOW,
    ProvisioningCode,
    hash_code,
    hint_of,
    make_code,
    number_name,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """How many codes, and what each gives its device; `name` as `number_name` takes it."""

    count: int = 1
    name: str | None = None
    tags: Sequence[str] = ()
    project_id: ProjectId | None = None
    group_id: GroupId | None = None
    life: timedelta = LIFE_DEFAULT
    reclaim_window: timedelta = RECLAIM_WINDOW


async def create_codes(
    tx: Transaction, principal: Principal, wanted: Defaults, *, now: datetime, pepper: bytes
) -> list[tuple[ProvisioningCode, str]]:
    """Make the codes; each comes with its text, which is shown this once. More than one make a batch, which has one row
    in the audit log. Raises NotFound (`project_not_found`, `group_not_found`), Invalid
    (`group_is_dynamic`).
    """
    if wanted.group_id is not None:
        await devices.change_members(tx, principal, wanted.group_id)  # only asks whether it is a fixed one
    names = [number_name(wanted.name, number, wanted.count) for number in range(1, wanted.count + 1)]
    batch_id = BatchId(ids.new()) if wanted.count > 1 else None
    tags = tuple(dict.fromkeys(wanted.tags))
    made: list[tuple[ProvisioningCode, str]] = []
    while names:  # a second round only if one of 2^40 codes was hit twice
        drawn = [(ProvisioningCodeId(ids.new()), make_code(), name) for name in names]
        try:
            free = await queries.insert_codes(
                tx,
                principal.tenant_id,
                [(code_id, hash_code(text, pepper), hint_of(text), name) for code_id, text, name in drawn],
                tags,
                wanted.reclaim_window,
                principal.wire_id,
                now,
                now + wanted.life,
                batch_id,
                wanted.project_id,
                wanted.group_id,
            )
        except asyncpg.ForeignKeyViolationError:
            raise organizations.no_such_project() from None
        made += [
            (
                ProvisioningCode(
                    tenant_id=principal.tenant_id,
                    id=code_id,
                    hint=hint_of(text),
                    name=name,
                    tags=tags,
                    reclaim_window=wanted.reclaim_window,
                    created_at=now,
                    created_by=principal.wire_id,
                    expires_at=now + wanted.life,
                    used_at=None,
                    device_id=None,
                    hardware_key=None,
                    batch_id=batch_id,
                    project_id=wanted.project_id,
                    group_id=wanted.group_id,
                ),
                text,
            )
            for code_id, text, name in drawn
            if code_id in free
        ]
        names = [name for code_id, _, name in drawn if code_id not in free]
    await _say(tx, principal, [code for code, _ in made], wanted)
    return made


async def revoke_batch(tx: Transaction, principal: Principal, batch_id: BatchId) -> int:
    """Delete the batch's unused codes; answers how many. Devices that used theirs stay, and may claim again."""
    revoked = await queries.delete_unused(tx, principal.tenant_id, batch_id)
    if revoked:
        wire = ids.encode(ids.BATCH, batch_id)
        await audit.record(
            tx, principal, "provisioning_code.delete", "provisioning_batch", wire, old={"unused": revoked}
        )
        await announce(tx, BatchRevoked(tenant_id=principal.tenant_id, batch_id=batch_id))
    return revoked


async def _say(
    tx: Transaction, principal: Principal, codes: Sequence[ProvisioningCode], wanted: Defaults
) -> None:
    first = codes[0]
    kept: dict[str, object] = {
        "name": wanted.name,
        "tags": list(first.tags),
        "project_id": None if first.project_id is None else ids.encode(ids.PROJECT, first.project_id),
        "group_id": None if first.group_id is None else ids.encode(ids.GROUP, first.group_id),
        "expires_at": first.expires_at.isoformat(),
    }
    if first.batch_id is None:
        kind, wire, kept["hint"] = (
            "provisioning_code",
            ids.encode(ids.PROVISIONING_CODE, first.id),
            first.hint,
        )
        event = CodeCreated(tenant_id=principal.tenant_id, code_id=first.id)
    else:
        kind, wire, kept["count"] = "provisioning_batch", ids.encode(ids.BATCH, first.batch_id), len(codes)
        event = BatchCreated(tenant_id=principal.tenant_id, batch_id=first.batch_id)
    await audit.record(tx, principal, "provisioning_code.create", kind, wire, new=kept)
    await announce(tx, event)
