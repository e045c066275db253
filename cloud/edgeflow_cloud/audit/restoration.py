"""After a restore: the database is older than the last checkpoints, which therefore contradict it.

That is what cutting entries off looks like too, so nothing but the operator's word tells the two apart. Accepting the
loss moves the checkpoints that no longer fit aside, to `audit-lost/…`, where they stay as evidence, and writes into the
log itself what was lost; from then on the chain is signed and verified again.
"""

from dataclasses import dataclass

from edgeflow_cloud.audit import service
from edgeflow_cloud.audit.chain import Walk
from edgeflow_cloud.audit.checkpoints import fetch_checkpoint, key_of, stored_sequences, walk_on
from edgeflow_cloud.audit.signing import Checkpoint, Signer
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import TenantId
from edgeflow_cloud.kernel.principal import system_principal

LOST = "audit-lost"


@dataclass(frozen=True, slots=True)
class Loss:
    """What was accepted: the log reached seal `reached` once and ends at `kept` now; `moved` checkpoints lie aside."""

    kept: int
    reached: int
    moved: int


async def accept_loss(context: Context, tenant_id: TenantId) -> Loss | None:
    """Let the log as it is now be the true one, `audit.loss_accepted`; None when every checkpoint fits it.

    Raises BrokenLog when the chain itself is broken, or a checkpoint is not signed by a key that is believed: a
    restore does neither. It may be run again after a crash.
    """
    signer = Signer(context.secrets, context.clock.now())
    walk = Walk()
    hashes = await walk_on(context, tenant_id, walk)
    unfit = await _unfit(context, tenant_id, signer, hashes)
    if not unfit:
        return None
    last = unfit[-1]
    principal = system_principal(tenant_id)
    async with context.db.tenant_tx(principal) as tx:
        await service.record(
            tx,
            principal,
            "audit.loss_accepted",
            "organization",
            ids.encode(ids.ORGANIZATION, tenant_id),
            old={"sequence": last.sequence, "hash": last.hash, "signed_at": last.made_at},
            new={"sequence": walk.sequence, "hash": walk.head.hex()},
        )
    # The newest first: after a crash in between, what is left still contradicts the log.
    for checkpoint in reversed(unfit):
        key = key_of(tenant_id, checkpoint.sequence)
        aside = f"{LOST}/{context.clock.now():%Y%m%dT%H%M%SZ}/{key}"
        await context.blobs.put(aside, await context.blobs.get(key), content_type="application/json")
        await context.blobs.delete(key)
    return Loss(walk.sequence, last.sequence, len(unfit))


async def _unfit(
    context: Context, tenant_id: TenantId, signer: Signer, hashes: dict[int, bytes]
) -> list[Checkpoint]:
    """The store's checkpoints from the first that does not fit on."""
    unfit: list[Checkpoint] = []
    async for sequence in stored_sequences(context.blobs, tenant_id, 0):
        found = await fetch_checkpoint(context.blobs, tenant_id, sequence, signer)
        if unfit or hashes.get(sequence, b"").hex() != found.hash:
            unfit.append(found)
    return unfit
