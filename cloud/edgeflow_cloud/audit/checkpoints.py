"""Checkpoints: signed statements about the chain, in the object store, where whoever rules the database cannot reach.

Every organization whose chain has grown gets one within about a minute, and after every 1,000 entries. Before it is
signed the chain is walked from the checkpoint before, which is first looked up in the store: a log that was changed or
cut there gets no new checkpoint, so that each checkpoint vouches for the whole log before it.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import structlog
from prometheus_client import Counter

from edgeflow_cloud.audit import queries
from edgeflow_cloud.audit.chain import Link, Walk, contradicted, entry_text, truncated
from edgeflow_cloud.audit.model import Break, Flaw
from edgeflow_cloud.audit.service import to_signed
from edgeflow_cloud.audit.signing import (
    Checkpoint,
    NotSigned,
    Previous,
    Signed,
    Signer,
    moment,
    read_checkpoint,
    split_signed,
)
from edgeflow_cloud.infra.blobs import Blobs, BlobsAway
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Row
from edgeflow_cloud.infra.observability import REGISTRY
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import TenantId

log = structlog.get_logger("edgeflow.audit")
CHECKPOINTS = Counter("edgeflow_audit_checkpoints", "Checkpoints signed.", registry=REGISTRY)
BROKEN = Counter(
    "edgeflow_audit_broken",
    "Times that a log was found changed or cut when it was to be signed.",
    registry=REGISTRY,
)

AFTER = timedelta(seconds=45)
SEALS = 1_000
_CHAINS = 200  # chains a run of the job
_STEP = 1_000  # seals a batch of the walk


class BrokenLog(Exception):
    """The log cannot be signed: it is not what its last checkpoint says."""

    def __init__(self, broken: Break) -> None:
        super().__init__(broken.message)
        self.broken = broken


def folder_of(tenant_id: TenantId) -> str:
    """Where the organization's checkpoints lie in the store."""
    return f"audit/{ids.encode(ids.ORGANIZATION, tenant_id)}"


def key_of(tenant_id: TenantId, sequence: int) -> str:
    """The object of the checkpoint at seal `sequence`; keys sort as the sequences do."""
    return f"{folder_of(tenant_id)}/{sequence:016d}.json"


async def stored_sequences(blobs: Blobs, tenant_id: TenantId, after: int) -> AsyncIterator[int]:
    """Where the store has checkpoints behind seal `after`, in order. Raises BlobsAway."""
    async for blob in blobs.keys(folder_of(tenant_id), after=key_of(tenant_id, after)):
        name = blob.key.rpartition("/")[2].removesuffix(".json")
        if name.isascii() and name.isdigit():
            yield int(name)


async def fetch_checkpoint(blobs: Blobs, tenant_id: TenantId, sequence: int, signer: Signer) -> Checkpoint:
    """The store's checkpoint at seal `sequence`. Raises BrokenLog, BlobNotFound, BlobsAway."""
    return (await _fetch(blobs, tenant_id, sequence, signer))[0]


async def _fetch(
    blobs: Blobs, tenant_id: TenantId, sequence: int, signer: Signer
) -> tuple[Checkpoint, Signed]:
    text = await blobs.get(key_of(tenant_id, sequence))
    try:
        return believed(signed := split_signed(text, "checkpoint"), tenant_id, sequence, signer), signed
    except NotSigned as error:
        raise BrokenLog(forged(sequence, error)) from None


def believed(signed: Signed, tenant_id: TenantId, sequence: int, signer: Signer) -> Checkpoint:
    """The checkpoint that is said to be the one at seal `sequence`. Raises NotSigned."""
    found = read_checkpoint(signed, ids.encode(ids.ORGANIZATION, tenant_id), signer.trusted)
    if found.sequence != sequence:
        raise NotSigned(f"It is the checkpoint at seal {found.sequence}.")
    return found


def forged(sequence: int, error: NotSigned) -> Break:
    """What a checkpoint that is not signed by us means."""
    return Break(
        Flaw.CHECKPOINT_FORGED, f"The checkpoint at seal {sequence} is not to be believed: {error}", sequence
    )


def to_link(row: Row) -> Link:
    """One seal from a row of `queries.select_chain`."""
    return Link(
        row["sequence"],
        bytes(row["previous_hash"]),
        bytes(row["hash"]),
        None if row["id"] is None else entry_text(row),
        row["format"],
    )


async def make_due_checkpoints(context: Context) -> int:
    """Sign every chain that is due; answers how many were. A broken log is reported and does not stop the others."""
    now = context.clock.now()
    async with context.db.system_tx("audit checkpoints") as tx:
        due = await queries.select_due_chains(tx, now - AFTER, SEALS, _CHAINS)
    made = 0
    for row in due:
        tenant_id = TenantId(row["tenant_id"])
        try:
            made += await make_checkpoint(context, tenant_id)
            continue
        except BrokenLog as error:
            BROKEN.inc()
            log.error(
                "audit.broken",
                organization_id=ids.encode(ids.ORGANIZATION, tenant_id),
                flaw=error.broken.flaw.value,
                sequence=error.broken.sequence,
                error=str(error),
            )
        except BlobsAway as error:
            log.warning("audit.checkpoints_wait", error=str(error))
            return made  # the chains stay due
        async with context.db.system_tx("audit checkpoints") as tx:
            await queries.defer_chain(tx, tenant_id, now)
    return made


async def make_checkpoint(context: Context, tenant_id: TenantId) -> bool:
    """Sign the chain's head and put it into the store, then into the table; False when nothing is new.

    Raises BrokenLog, BlobsAway.
    """
    signer = Signer(context.secrets, context.clock.now())
    last = await _last_checkpoint(context, tenant_id, signer)
    walk = Walk(last.sequence, bytes.fromhex(last.hash)) if last is not None else Walk()
    await walk_on(context, tenant_id, walk)
    if walk.sequence > walk.begun:
        now = context.clock.now()
        statement = Checkpoint(
            edgeflow_audit_checkpoint=1,
            organization_id=ids.encode(ids.ORGANIZATION, tenant_id),
            sequence=walk.sequence,
            hash=walk.head.hex(),
            previous=None if last is None else Previous(last.sequence, last.hash),
            made_at=moment(now),
            key_id=signer.key_id,
        )
        signed = signer.sign(statement)
        await context.blobs.put(
            key_of(tenant_id, walk.sequence), signed.to_json("checkpoint"), content_type="application/json"
        )
        await _keep(context, tenant_id, walk.sequence, signed)
        CHECKPOINTS.inc()
    async with context.db.system_tx("audit checkpoints") as tx:
        await queries.settle_checkpoint(tx, tenant_id, walk.sequence, context.clock.now())
    return walk.sequence > walk.begun


async def _last_checkpoint(context: Context, tenant_id: TenantId, signer: Signer) -> Checkpoint | None:
    """The newest checkpoint of the table or the store, held against the chain.

    One that only the store has is taken into the table: it got there just before a crash, or the table lost it.
    """
    async with context.db.system_tx("audit checkpoints") as tx:
        row = await queries.select_last_checkpoint(tx, tenant_id)
    last = None
    if row is not None:
        try:
            last = believed(to_signed(row), tenant_id, row["sequence"], signer)
        except NotSigned as error:
            raise BrokenLog(forged(row["sequence"], error)) from None
        await _require_seal(context, tenant_id, last)
    async for sequence in stored_sequences(context.blobs, tenant_id, last.sequence if last else 0):
        last, signed = await _fetch(context.blobs, tenant_id, sequence, signer)
        await _require_seal(context, tenant_id, last)
        await _keep(context, tenant_id, sequence, signed)
    return last


async def _require_seal(context: Context, tenant_id: TenantId, checkpoint: Checkpoint) -> None:
    """Raises BrokenLog unless the chain has the seal that the checkpoint names."""
    async with context.db.system_tx("audit checkpoints") as tx:
        found = await queries.select_seal_hash(tx, tenant_id, checkpoint.sequence)
    if found is None:
        raise BrokenLog(truncated(checkpoint.sequence))
    if found.hex() != checkpoint.hash:
        raise BrokenLog(contradicted(checkpoint.sequence))


async def _keep(context: Context, tenant_id: TenantId, sequence: int, signed: Signed) -> None:
    async with context.db.system_tx("audit checkpoints") as tx:
        await queries.insert_checkpoint(tx, tenant_id, sequence, signed.document.decode(), signed.signature)


async def walk_on(context: Context, tenant_id: TenantId, walk: Walk) -> dict[int, bytes]:
    """Walk to the chain's end; answers the hashes of the seals that were stepped on. Raises BrokenLog.

    For the part since a checkpoint: all of its hashes are held in memory.
    """
    hashes: dict[int, bytes] = {}
    while True:
        async with context.db.system_tx("audit checkpoints") as tx:
            rows = await queries.select_chain(tx, tenant_id, walk.sequence, _STEP)
        for row in rows:
            if (broken := walk.step(to_link(row))) is not None:
                raise BrokenLog(broken)
            hashes[walk.sequence] = walk.head
        if len(rows) < _STEP:
            return hashes
