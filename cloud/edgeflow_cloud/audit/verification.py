"""Verification online: the whole chain recomputed, held against every checkpoint, in bounded batches."""

import asyncio
from time import monotonic

from edgeflow_cloud.audit import queries
from edgeflow_cloud.audit.chain import Walk, truncated
from edgeflow_cloud.audit.checkpoints import (
    BrokenLog,
    believed,
    fetch_checkpoint,
    forged,
    stored_sequences,
    to_link,
)
from edgeflow_cloud.audit.model import Break, Flaw, Report
from edgeflow_cloud.audit.service import to_signed
from edgeflow_cloud.audit.signing import Checkpoint, NotSigned, Signer
from edgeflow_cloud.infra.blobs import BlobNotFound
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Row
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import NotFound
from edgeflow_cloud.kernel.principal import Principal

BATCH = 1_000
BUDGET = 20.0
"""Seconds after which a verification stops and says how far it came."""


async def verify(context: Context, principal: Principal, after: int = 0, *, budget: float = BUDGET) -> Report:
    """Walk the organization's chain behind seal `after`; the first thing that is wrong ends the walk.

    Raises NotFound (`seal_not_found`) when there is no seal `after`; BlobsAway, since a verification without the
    store would not notice that the newest entries were cut off.
    """
    return await _Verification(context, principal).run(after, monotonic() + budget)


class _Verification:
    def __init__(self, context: Context, principal: Principal) -> None:
        self._context = context
        self._principal = principal
        self._tenant = principal.tenant_id
        self._signer = Signer(context.secrets, context.clock.now())
        self._walk = Walk()
        self._checkpoints = 0
        self._last: Checkpoint | None = None

    async def run(self, after: int, deadline: float) -> Report:
        walk = self._walk = await self._begin(after)
        # Read first: what is sealed later only makes the chain longer.
        async with self._context.db.tenant_tx(self._principal) as tx:
            counts = await queries.count_log(tx, self._tenant)
        broken, complete = None, False
        try:
            complete = await self._walk_to_end(deadline)
            if complete:
                await self._check_end(counts)
        except BrokenLog as error:
            broken = error.broken
        return Report(
            ok=broken is None,
            complete=complete or broken is not None,
            broken=broken,
            verified_from=after,
            verified_to=walk.sequence,
            head=walk.head.hex(),
            unsealed=int(counts["unsealed"]),
            last_checkpoint=None if self._last is None else self._last.sequence,
            checkpoints=self._checkpoints,
            key_ids=tuple(self._signer.trusted),
        )

    async def _begin(self, after: int) -> Walk:
        if after == 0:
            return Walk()
        async with self._context.db.tenant_tx(self._principal) as tx:
            head = await queries.select_seal_hash(tx, self._tenant, after)
        if head is None:
            raise NotFound(
                f"This log has no seal {after}; verify it from the beginning.", code="seal_not_found"
            )
        return Walk(after, bytes(head))

    async def _walk_to_end(self, deadline: float) -> bool:
        """Walk until no seal is left; False when the time is up before."""
        while True:
            rows = await self._rows()
            if not rows:
                beyond = await self._known_beyond()
                if beyond is None:
                    return True
                rows = await self._rows()  # sealed and signed between the two looks
                if not rows:
                    raise BrokenLog(truncated(beyond))
            await self._walk_batch(rows)
            if monotonic() > deadline:
                return False

    async def _rows(self) -> list[Row]:
        async with self._context.db.tenant_tx(self._principal) as tx:
            return await queries.select_chain(tx, self._tenant, self._walk.sequence, BATCH)

    async def _known_beyond(self) -> int | None:
        """A seal behind the last one that a checkpoint in store or table knows, or the bookkeeping."""
        async for sequence in stored_sequences(self._context.blobs, self._tenant, self._walk.sequence):
            await fetch_checkpoint(self._context.blobs, self._tenant, sequence, self._signer)
            return sequence
        async with self._context.db.tenant_tx(self._principal) as tx:
            kept = await queries.select_checkpoints_between(tx, self._tenant, self._walk.sequence, None, 1)
            known = await queries.select_sealed_to(tx, self._tenant)
        if kept:
            return int(kept[0]["sequence"])
        return known if known > self._walk.sequence else None

    async def _walk_batch(self, rows: list[Row]) -> None:
        begin, until = self._walk.sequence, int(rows[-1]["sequence"])
        checkpoints = await self._checkpoints_between(begin, until)
        self._raise(await asyncio.to_thread(self._step, rows, checkpoints))
        if checkpoints:
            self._last = checkpoints[max(checkpoints)]
            self._checkpoints += len(checkpoints)

    def _step(self, rows: list[Row], checkpoints: dict[int, Checkpoint]) -> Break | None:
        for row in rows:
            if (broken := self._walk.step(to_link(row))) is not None:
                return broken
            met = checkpoints.get(self._walk.sequence)
            if met is None:
                continue
            previous = met.previous.sequence if met.previous is not None else None
            if (broken := self._walk.meet(met.sequence, bytes.fromhex(met.hash), previous)) is not None:
                return broken
        return None

    async def _checkpoints_between(self, begin: int, until: int) -> dict[int, Checkpoint]:
        """The checkpoints of this part of the chain, from the table; those that only the store has, from there.

        The newest is read from the store in any case. A table's checkpoint that the store lacks was taken from it.
        """
        async with self._context.db.tenant_tx(self._principal) as tx:
            rows = await queries.select_checkpoints_between(tx, self._tenant, begin, until, BATCH)
        found: dict[int, Checkpoint] = {}
        for row in rows:
            try:
                found[row["sequence"]] = believed(to_signed(row), self._tenant, row["sequence"], self._signer)
            except NotSigned as error:
                raise BrokenLog(forged(row["sequence"], error)) from None
        stored: list[int] = []
        async for sequence in stored_sequences(self._context.blobs, self._tenant, begin):
            if sequence > until:
                break
            stored.append(sequence)
        lost = sorted(set(found) - set(stored))
        if lost:
            raise BrokenLog(_lost(lost[0]))
        for sequence in {*(set(stored) - set(found)), *stored[-1:]}:
            try:
                found[sequence] = await fetch_checkpoint(
                    self._context.blobs, self._tenant, sequence, self._signer
                )
            except BlobNotFound:
                raise BrokenLog(_lost(sequence)) from None
        return found

    async def _check_end(self, counts: Row) -> None:
        """Nothing may stand beside the chain: an entry is sealed, or waits for it."""
        if int(counts["entries"]) == int(counts["seals"]) + int(counts["unsealed"]):
            return
        async with self._context.db.tenant_tx(self._principal) as tx:
            stray = await queries.select_stray_entry(tx, self._tenant)
        if stray is not None:
            wire = ids.encode(ids.AUDIT, stray)
            raise BrokenLog(
                Break(Flaw.ENTRY_UNSEALED, f"The entry {wire} was written behind the sealer's back.")
            )
        raise BrokenLog(Break(Flaw.ENTRY_MISSING, "An entry that waited for its seal is gone."))

    @staticmethod
    def _raise(broken: Break | None) -> None:
        if broken is not None:
            raise BrokenLog(broken)


def _lost(sequence: int) -> Break:
    return Break(
        Flaw.CHECKPOINT_MISSING, f"The checkpoint at seal {sequence} is gone from the object store.", sequence
    )
