# ruff: noqa: S608 - every statement is made of constants of this module
"""What a ruler of the database does to an audit log, and what a look from outside sees; none of it is the product's."""

from collections.abc import Sequence
from random import Random

from edgeflow_cloud.infra.db import PgConnection

_READ = {
    "audit_entries": "select * from audit_entries",
    "audit_seals": "select * from audit_seals",
    "audit_checkpoints": "select * from audit_checkpoints",
    "audit_chains": "select * from audit_chains",
    "audit_unsealed": "select * from audit_unsealed",
}
Log = dict[str, list[tuple[object, ...]]]
"""An audit log, whole: rows by table."""
RULE = "set session_replication_role = replica"
"""No trigger fires any more on this connection."""
_OF_SEAL = "where id = (select entry_id from audit_seals where sequence = $1)"
_EDITS = (
    f"update audit_entries set action = action || 'd' {_OF_SEAL}",
    f"update audit_entries set actor_id = 'usr_' || repeat('0', 26) {_OF_SEAL}",
    f"update audit_entries set resource_id = resource_id || '0' {_OF_SEAL}",
    f"update audit_entries set status = 'failure' {_OF_SEAL}",
    f"update audit_entries set old_values = '{{}}' {_OF_SEAL}",
    f"update audit_entries set new_values = '[1]' {_OF_SEAL}",
    f"update audit_entries set ip_address = '127.0.0.2' {_OF_SEAL}",
    f"update audit_entries set user_agent = 'x' {_OF_SEAL}",
    f"update audit_entries set occurred_at = occurred_at + interval '1 microsecond' {_OF_SEAL}",
    f"update audit_entries set id = gen_random_uuid() {_OF_SEAL}",
    f"delete from audit_entries {_OF_SEAL}",
)
_SEAL_EDITS = (
    "update audit_seals set hash = sha256(hash) where sequence = $1",
    "update audit_seals set previous_hash = sha256(previous_hash) where sequence = $1",
    "update audit_seals set entry_id = gen_random_uuid() where sequence = $1",
    "update audit_seals set format = 2 where sequence = $1",
    "update audit_seals set sequence = 20000 where sequence = $1",
    "delete from audit_seals where sequence = $1",
)


async def keep(ruler: PgConnection) -> Log:
    """The log as it is."""
    return {table: [tuple(row) for row in await ruler.fetch(read)] for table, read in _READ.items()}


async def put_back(ruler: PgConnection, log: Log) -> None:
    """The log as it was."""
    await ruler.execute(
        "truncate audit_entries, audit_seals, audit_checkpoints, audit_chains, audit_unsealed"
    )
    for table, rows in log.items():
        await ruler.copy_records_to_table(table, records=rows)


async def edit_entry(ruler: PgConnection, dice: Random, length: int) -> str:
    """One column of one entry, or all of it."""
    edit = dice.choice(_EDITS)
    await ruler.execute(edit, dice.randint(1, length))
    return edit


async def edit_seal(ruler: PgConnection, dice: Random, length: int) -> str:
    """One column of one seal, or all of it."""
    edit = dice.choice(_SEAL_EDITS)
    await ruler.execute(edit, dice.randint(1, length - 1))
    return edit


async def insert_entry(ruler: PgConnection, dice: Random, length: int) -> str:
    """A forged entry that never was queued for a seal."""
    await ruler.execute(
        """
        insert into audit_entries (tenant_id, id, actor_kind, actor_id, action, resource_type, resource_id)
        select e.tenant_id, gen_random_uuid(), e.actor_kind, e.actor_id, 'user.login', e.resource_type, e.resource_id
        from audit_entries e join audit_seals s on s.entry_id = e.id where s.sequence = $1
        """,
        dice.randint(1, length),
    )
    return "an entry forged"


async def exchange(ruler: PgConnection, dice: Random, length: int) -> str:
    """Two seals change their numbers."""
    one, other = dice.sample(range(1, length + 1), 2)
    for before, after in ((one, 10_000), (other, one), (10_000, other)):
        await ruler.execute("update audit_seals set sequence = $2 where sequence = $1", before, after)
    return "two seals exchanged"


async def cut_off(ruler: PgConnection, dice: Random, length: int, sealed: int) -> str:
    """The newest entries with all that the database knows of them, from before the last checkpoint (`sealed`) on."""
    last = dice.randint(0, sealed - 1)
    await ruler.execute(
        "delete from audit_entries where id in (select entry_id from audit_seals where sequence > $1)", last
    )
    await ruler.execute("delete from audit_seals where sequence > $1", last)
    await ruler.execute("delete from audit_checkpoints where sequence > $1", last)
    await ruler.execute("update audit_chains set sequence = $1, checkpoint_sequence = 0", last)
    return f"{length - last} newest entries cut off"


async def write_seal(ruler: PgConnection, sequence: int, previous: bytes, made: bytes) -> None:
    """A seal that is right again after an edit."""
    await ruler.execute(
        "update audit_seals set previous_hash = $2, hash = $3 where sequence = $1", sequence, previous, made
    )


async def select_seal(ruler: PgConnection, sequence: int) -> bytes | None:
    """The hash of one seal."""
    return await ruler.fetchval("select hash from audit_seals where sequence = $1", sequence)


async def change_action(ruler: PgConnection, sequence: int) -> None:
    """One entry says something else."""
    await ruler.execute(f"update audit_entries set action = 'user.login' {_OF_SEAL}", sequence)


READ_ALL = "select tenant_id, name, current_tenant() as current from devices"
LOOK = "select current_tenant() as current, (select count(*) from devices) as devices"
CURRENT = "select current_tenant()"
PAUSE = "select pg_sleep(0.002)"
BREAK = "select 1 / (select count(*) from users where false)"
SHARE = "alter table devices disable row level security"


async def owners_by_name(ruler: PgConnection) -> dict[str, Sequence[object]]:
    """Which organizations have a device of each name."""
    rows = await ruler.fetch(
        "select name, array_agg(distinct tenant_id) as owners from devices group by name"
    )
    return {row["name"]: row["owners"] for row in rows}
