"""Whoever rules the database can change anything in it; every such change of a sealed log is found.

The drill `audit-tamper` is this file: seeded random edits, deletions, insertions and exchanges of entries and seals by
a superuser without triggers, chains recomputed after an edit, and newest entries cut off.
"""

import random
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from cloud.tests.audit.conftest import seal_all, write
from edgeflow_cloud.audit import queries
from edgeflow_cloud.audit.chain import GENESIS, entry_text, seal
from edgeflow_cloud.audit.checkpoints import BrokenLog, key_of, make_checkpoint
from edgeflow_cloud.audit.model import Flaw
from edgeflow_cloud.audit.verification import verify
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Database
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.principal import Principal

ROUNDS, EACH = 5, 8
LENGTH = ROUNDS * EACH + 3  # the last three have no checkpoint yet
Ruler = asyncpg.Connection
Tamper = Callable[[Ruler, random.Random], Awaitable[object]]
TABLES = ("audit_entries", "audit_seals", "audit_checkpoints", "audit_chains", "audit_unsealed")
EDITS = (
    "action = action || 'd'",
    "action = ''",
    "actor_id = 'usr_' || repeat('0', 26)",
    "actor_kind = 'system'",
    "resource_id = resource_id || '0'",
    "resource_type = 'flow'",
    "status = 'failure'",
    "old_values = null",
    "old_values = jsonb_set(old_values, '{ratio}', '1.500')",
    "new_values = new_values || '{\"more\": 1}'",
    "new_values = jsonb_set(new_values, '{nested,a}', '1000000000000000000000000000001')",
    "new_values = 'null'",
    "ip_address = '127.0.0.2'",
    "ip_address = null",
    "user_agent = 'x'",
    "occurred_at = occurred_at + interval '1 microsecond'",
    "occurred_at = 'infinity'",
    "occurred_at = '4000-01-01 BC'",
    "id = gen_random_uuid()",
)


@pytest.fixture
async def log(
    context: Context, db: Database, owner: Principal, ruler: Ruler
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """A sealed log with five checkpoints; what is given puts it back as it was."""
    for _ in range(ROUNDS):
        await write(db, owner, EACH)
        await seal_all(context)
        await make_checkpoint(context, owner.tenant_id)
    await write(db, owner, LENGTH - ROUNDS * EACH)
    await seal_all(context)
    for table in TABLES:
        await ruler.execute(f"create table kept_{table} as table {table}")

    async def put_back() -> None:
        for table in TABLES:
            await ruler.execute(f"truncate {table}")
            await ruler.execute(f"insert into {table} table kept_{table}")

    yield put_back


async def edit_entry(ruler: Ruler, dice: random.Random) -> object:
    """One column of one entry."""
    return await ruler.execute(
        f"update audit_entries set {dice.choice(EDITS)} where id = (select entry_id from audit_seals"
        " where sequence = $1)",
        dice.randint(1, LENGTH),
    )


async def delete_entry(ruler: Ruler, dice: random.Random) -> object:
    """One entry, its seal left behind."""
    return await ruler.execute(
        "delete from audit_entries where id = (select entry_id from audit_seals where sequence = $1)",
        dice.randint(1, LENGTH),
    )


async def delete_entry_and_seal(ruler: Ruler, dice: random.Random) -> object:
    """One entry and its seal; sometimes what follows is numbered anew."""
    sequence = dice.randint(1, LENGTH - 1)
    await ruler.execute(
        "delete from audit_entries where id = (select entry_id from audit_seals where sequence = $1)",
        sequence,
    )
    await ruler.execute("delete from audit_seals where sequence = $1", sequence)
    if dice.random() < 0.5:
        await ruler.execute(
            "update audit_seals set sequence = sequence + 1000000 where sequence > $1", sequence
        )
        await ruler.execute("update audit_seals set sequence = sequence - 1000001 where sequence > 1000000")
    return "DELETE 1"


async def insert_entry(ruler: Ruler, dice: random.Random) -> object:
    """A forged entry without a seal, no trigger fired."""
    return await ruler.execute(
        """
        insert into audit_entries (tenant_id, id, actor_kind, actor_id, action, resource_type, resource_id)
        select tenant_id, $1, actor_kind, actor_id, 'user.login', resource_type, resource_id
        from audit_entries limit 1
        """,
        ids.new(),
    )


async def insert_sealed_entry(ruler: Ruler, dice: random.Random) -> object:
    """A forged entry with a forged seal in the middle, what follows numbered anew."""
    sequence = dice.randint(1, LENGTH)
    entry = ids.new()
    await ruler.execute(
        """
        insert into audit_entries (tenant_id, id, actor_kind, actor_id, action, resource_type, resource_id)
        select tenant_id, $1, actor_kind, actor_id, 'user.login', resource_type, resource_id
        from audit_entries limit 1
        """,
        entry,
    )
    await ruler.execute("update audit_seals set sequence = sequence + 1000000 where sequence >= $1", sequence)
    await ruler.execute("update audit_seals set sequence = sequence - 999999 where sequence >= 1000000")
    return await ruler.execute(
        """
        insert into audit_seals (tenant_id, sequence, entry_id, format, previous_hash, hash)
        select tenant_id, $1::bigint, $2, format, previous_hash, hash from audit_seals where sequence = $1 + 1::bigint
        """,
        sequence,
        entry,
    )


async def exchange_entries(ruler: Ruler, dice: random.Random) -> object:
    """Two entries change places under their seals."""
    one, other = dice.sample(range(1, LENGTH + 1), 2)
    first, second = [
        await ruler.fetchval("select entry_id from audit_seals where sequence = $1", place)
        for place in (one, other)
    ]
    spare = ids.new()
    for place, entry in ((one, spare), (other, first), (one, second)):
        await ruler.execute("update audit_seals set entry_id = $2 where sequence = $1", place, entry)
    return "UPDATE 2"


async def exchange_seals(ruler: Ruler, dice: random.Random) -> object:
    """Two seals change their numbers."""
    one, other = dice.sample(range(1, LENGTH + 1), 2)
    for before, after in ((one, 10_000), (other, one), (10_000, other)):
        await ruler.execute("update audit_seals set sequence = $2 where sequence = $1", before, after)
    return "UPDATE 2"


async def edit_seal(ruler: Ruler, dice: random.Random) -> object:
    """One column of one seal."""
    edit = dice.choice(
        (
            "hash = sha256(hash)",
            "previous_hash = sha256(previous_hash)",
            "entry_id = gen_random_uuid()",
            "format = 2",
            "sequence = 20000",
        )
    )
    return await ruler.execute(
        f"update audit_seals set {edit} where sequence = $1", dice.randint(1, LENGTH - 1)
    )


async def delete_seal(ruler: Ruler, dice: random.Random) -> object:
    """One seal, its entry left behind."""
    return await ruler.execute("delete from audit_seals where sequence = $1", dice.randint(1, LENGTH))


async def write_anew(ruler: Ruler, dice: random.Random) -> object:
    """An edit, and every seal behind it recomputed: the chain by itself is flawless."""
    sequence = dice.randint(1, ROUNDS * EACH)
    await ruler.execute(
        "update audit_entries set action = 'user.login' where id = (select entry_id from audit_seals"
        " where sequence = $1)",
        sequence,
    )
    await recompute(ruler, sequence)
    if dice.random() < 0.5:
        await ruler.execute("delete from audit_checkpoints where sequence >= $1", sequence)
    return "UPDATE 1"


async def cut_off(ruler: Ruler, dice: random.Random) -> object:
    """The newest entries with all that knows of them in the database, from before the last checkpoint on."""
    last = dice.randint(0, ROUNDS * EACH - 1)
    await ruler.execute(
        "delete from audit_entries where id in (select entry_id from audit_seals where sequence > $1)", last
    )
    await ruler.execute("delete from audit_seals where sequence > $1", last)
    await ruler.execute("delete from audit_checkpoints where sequence > $1", last)
    await ruler.execute("update audit_chains set sequence = $1, checkpoint_sequence = 0", last)
    return f"DELETE {LENGTH - last}"


async def edit_checkpoint(ruler: Ruler, dice: random.Random) -> object:
    """One checkpoint of the table."""
    edit = dice.choice(
        (
            "document = replace(document, '\"sequence\":', '\"sequence\":1')",
            'document = replace(document, \'"hash":"\', \'"hash":"0\')',
            "document = document || ' '",
            "document = '{}'",
            "signature = set_byte(signature, 5, get_byte(signature, 5) # 1)",
            "sequence = sequence - 1",
        )
    )
    return await ruler.execute(
        f"update audit_checkpoints set {edit} where sequence = $1", dice.randint(1, ROUNDS) * EACH
    )


async def recompute(ruler: Ruler, sequence: int) -> None:
    """Make every seal from `sequence` on right again."""
    tenant = await ruler.fetchval("select tenant_id from audit_seals limit 1")
    previous = (
        await ruler.fetchval("select hash from audit_seals where sequence = $1", sequence - 1) or GENESIS
    )
    for row in await queries.select_chain(ruler, tenant, sequence - 1, 10_000):
        made = seal(previous, row["sequence"], entry_text(row))
        await ruler.execute(
            "update audit_seals set previous_hash = $2, hash = $3 where sequence = $1",
            row["sequence"],
            previous,
            made,
        )
        previous = made


TAMPERS: tuple[Tamper, ...] = (
    edit_entry,
    edit_entry,
    edit_entry,
    delete_entry,
    delete_entry_and_seal,
    insert_entry,
    insert_sealed_entry,
    exchange_entries,
    exchange_seals,
    edit_seal,
    delete_seal,
    write_anew,
    cut_off,
    edit_checkpoint,
)


async def test_every_change_by_a_superuser_is_found(
    context: Context, owner: Principal, ruler: Ruler, log: Callable[[], Awaitable[None]]
) -> None:
    whole = await verify(context, owner)
    assert (whole.ok, whole.complete, whole.verified_to, whole.checkpoints) == (True, True, LENGTH, ROUNDS)
    found: set[Flaw] = set()
    for seed in range(8):
        for number, tamper in enumerate(TAMPERS):
            done = await tamper(ruler, random.Random(1_000 * seed + number))
            assert str(done).split()[-1] != "0", (tamper.__name__, "changed nothing")
            report = await verify(context, owner)
            assert not report.ok, (tamper.__name__, seed)
            assert report.broken is not None
            found.add(report.broken.flaw)
            await log()
    assert (await verify(context, owner)).ok
    assert found >= {
        Flaw.ENTRY_CHANGED,
        Flaw.ENTRY_MISSING,
        Flaw.ENTRY_UNSEALED,
        Flaw.SEAL_MISSING,
        Flaw.LINK_BROKEN,
        Flaw.FORMAT_UNKNOWN,
        Flaw.TRUNCATED,
        Flaw.CHECKPOINT_FORGED,
        Flaw.CHECKPOINT_CONTRADICTED,
    }


async def test_each_column_counts(
    context: Context, owner: Principal, ruler: Ruler, log: Callable[[], Awaitable[None]]
) -> None:
    for edit in EDITS:
        await ruler.execute(
            f"update audit_entries set {edit} where id = (select entry_id from audit_seals where sequence = 20)"
        )
        report = await verify(context, owner)
        assert report.broken is not None, edit
        assert report.broken.sequence == 20, edit
        assert report.verified_to == 19
        await log()


async def test_a_log_that_was_written_anew_gets_no_new_checkpoint(
    context: Context, db: Database, owner: Principal, ruler: Ruler, log: Callable[[], Awaitable[None]]
) -> None:
    """So the checkpoint that contradicts it stays the last word."""
    await write_anew(ruler, random.Random(7))
    await ruler.execute("delete from audit_checkpoints")
    await write(db, owner, 5)
    await seal_all(context)
    with pytest.raises(BrokenLog, match="another hash"):
        await make_checkpoint(context, owner.tenant_id)
    report = await verify(context, owner)
    assert report.broken is not None
    assert report.broken.flaw is Flaw.CHECKPOINT_CONTRADICTED


async def test_a_log_that_was_cut_off_and_grew_again_is_found(
    context: Context, db: Database, owner: Principal, ruler: Ruler, log: Callable[[], Awaitable[None]]
) -> None:
    await cut_off(ruler, random.Random(3))
    await write(db, owner, LENGTH)
    await seal_all(context)
    with pytest.raises(BrokenLog):
        await make_checkpoint(context, owner.tenant_id)
    report = await verify(context, owner)
    assert report.broken is not None
    assert report.broken.flaw is Flaw.CHECKPOINT_CONTRADICTED


async def test_what_was_taken_before_its_seal_is_missed(
    context: Context, db: Database, owner: Principal, ruler: Ruler
) -> None:
    await write(db, owner, 3)
    await ruler.execute("delete from audit_entries where id = (select entry_id from audit_unsealed limit 1)")
    report = await verify(context, owner)
    assert report.broken is not None
    assert report.broken.flaw is Flaw.ENTRY_MISSING


async def test_what_was_kept_from_the_sealer_is_missed(
    context: Context, db: Database, owner: Principal, ruler: Ruler
) -> None:
    await write(db, owner, 3)
    await ruler.execute(
        "delete from audit_unsealed where entry_id = (select entry_id from audit_unsealed limit 1)"
    )
    await seal_all(context)
    report = await verify(context, owner)
    assert report.broken is not None
    assert report.broken.flaw is Flaw.ENTRY_UNSEALED


async def test_a_checkpoint_that_the_store_lost_or_got_from_another_is_missed(
    context: Context, owner: Principal, log: Callable[[], Awaitable[None]]
) -> None:
    newest, other = key_of(owner.tenant_id, ROUNDS * EACH), key_of(owner.tenant_id, EACH)
    kept = await context.blobs.get(newest)
    await context.blobs.put(newest, await context.blobs.get(other))
    forged = await verify(context, owner)
    await context.blobs.delete(newest)
    lost = await verify(context, owner)
    await context.blobs.put(newest, kept)
    assert (await verify(context, owner)).ok
    assert forged.broken is not None
    assert forged.broken.flaw is Flaw.CHECKPOINT_FORGED
    assert lost.broken is not None
    assert lost.broken.flaw is Flaw.CHECKPOINT_MISSING


async def test_a_sealed_entry_that_is_queued_again_changes_nothing(
    context: Context, owner: Principal, ruler: Ruler, log: Callable[[], Awaitable[None]]
) -> None:
    await ruler.execute("insert into audit_unsealed select tenant_id, entry_id from audit_seals")
    await seal_all(context)
    report = await verify(context, owner)
    assert (report.ok, report.verified_to, report.unsealed) == (True, LENGTH, 0)
