"""A superuser edits the audit log at random; verification finds every edit."""

import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from importlib import import_module
from random import Random
from typing import Any

import asyncpg

from edgeflow_cloud import audit
from edgeflow_cloud.drills import CannotRun, Drill, Ground, Order, Report
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import PgConnection
from edgeflow_cloud.kernel.principal import Principal
from edgeflow_cloud.tenant_drills import queries
from edgeflow_cloud.tenant_drills.inside import broken, make_owner, open_inside

_ROUNDS, _EACH, _AFTER = 3, 8, 3
_SEALED = _ROUNDS * _EACH
_LENGTH = _SEALED + _AFTER  # the last ones have no checkpoint yet


async def run(ground: Ground, order: Order, report: Report) -> None:
    """Write, seal and sign; edit, verify, put back; again."""
    database = await ground.make_database()
    ruler: PgConnection = await asyncpg.connect(ground.database_url(database))
    try:
        await ruler.execute(queries.RULE)
        async with open_inside(ground, database) as context:
            owner = make_owner()
            await _write_log(context, owner)
            log = await queries.keep(ruler)
            whole = await audit.verify(context, owner)
            if not (whole.ok and whole.verified_to == _LENGTH and whole.checkpoints == _ROUNDS):
                raise CannotRun(f"The log that nobody touched does not verify: {whole}")
            with ExitStack() as mutants:
                if order.mutant == "blind":
                    mutants.enter_context(broken("audit.chain", "Walk.step", _believe))
                elif order.mutant == "no-store":
                    mutants.enter_context(broken("audit.verification", "stored_sequences", _nothing_stored))
                await _tamper(context, owner, ruler, log, order, report)
            if not order.mutant:
                report.check((await audit.verify(context, owner)).ok, "the log that was put back verifies")
    finally:
        await ruler.close()
        await ground.drop_database(database)


async def _write_log(context: Context, owner: Principal) -> None:
    for number in range(_LENGTH):
        async with context.db.tenant_tx(owner) as tx:
            await audit.record(
                tx,
                owner,
                "device.update",
                "device",
                f"dev_{number}",
                old={"n": number},
                new={"n": number + 1},
            )
        if (number + 1) % _EACH == 0 or number + 1 == _LENGTH:
            while await audit.seal_batch(context):
                pass
            if number < _SEALED:
                await audit.make_checkpoint(context, owner.tenant_id)


async def _tamper(
    context: Context, owner: Principal, ruler: PgConnection, log: queries.Log, order: Order, report: Report
) -> None:
    dice, began, tried, missed = order.dice("edits"), time.monotonic(), 0, list[str]()
    kinds = (queries.edit_entry, queries.edit_seal, queries.insert_entry, queries.exchange)
    while time.monotonic() - began < order.seconds:
        kind = tried % (len(kinds) + 2)
        if kind < len(kinds):
            done = await kinds[kind](ruler, dice, _LENGTH)
        elif kind == len(kinds):
            done = await queries.cut_off(ruler, dice, _LENGTH, _SEALED)
        else:
            done = await _write_anew(ruler, dice, owner.tenant_id)
        found = await audit.verify(context, owner)
        tried += 1
        if found.ok or found.broken is None:
            missed.append(done)
        await queries.put_back(ruler, log)
    report.fact("edits", tried)
    report.fact("found", tried - len(missed))
    if tried < len(kinds) + 2:
        raise CannotRun(f"Only {tried} edits were tried.")
    report.check(
        not missed, f"every edit is found; missed {len(missed)} of {tried}: {sorted(set(missed))[:5]}"
    )


def _believe(walk: Any, link: Any) -> None:
    walk.sequence, walk.head = link.sequence, link.hash


async def _nothing_stored(_blobs: object, _tenant: object, _after: int) -> AsyncIterator[int]:
    for sequence in ():
        yield sequence


async def _write_anew(ruler: PgConnection, dice: Random, tenant: object) -> str:
    """An edit, and every seal behind it recomputed: the chain by itself is flawless, the checkpoints know better."""
    chain: Any = import_module("edgeflow_cloud.audit.chain")
    rows: Any = import_module("edgeflow_cloud.audit.queries")
    sequence = dice.randint(1, _SEALED)
    await queries.change_action(ruler, sequence)
    previous = await queries.select_seal(ruler, sequence - 1) or chain.GENESIS
    for row in await rows.select_chain(ruler, tenant, sequence - 1, 10_000):
        made = chain.seal(previous, row["sequence"], chain.entry_text(row))
        await queries.write_seal(ruler, row["sequence"], previous, made)
        previous = made
    return "written anew from an edit on"


DRILL = Drill(
    name="audit-tamper",
    question="Is every edit of the audit log by a superuser found?",
    run=run,
    mutants={
        "blind": "verification believes every seal it meets",
        "no-store": "verification does not ask the object store for checkpoints",
    },
    seconds=5.0,
    devices=1,
)
