"""Every SQL statement on `totp_seeds` and `recovery_codes`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import UserId


async def put_seed(tx: Transaction, user_id: UserId, sealed: bytes, now: datetime) -> None:
    """A seed that waits for its confirmation, in the place of an earlier one."""
    await tx.execute(
        """
        insert into totp_seeds (user_id, sealed, created_at) values ($1, $2, $3)
        on conflict (user_id) do update
            set sealed = excluded.sealed, created_at = excluded.created_at, confirmed_at = null, last_step = 0
        """,
        user_id,
        sealed,
        now,
    )


async def select_seed(tx: Transaction, user_id: UserId) -> Row | None:
    return await tx.fetchrow("select sealed, confirmed_at from totp_seeds where user_id = $1", user_id)


async def confirm_seed(tx: Transaction, user_id: UserId, now: datetime) -> None:
    await tx.execute("update totp_seeds set confirmed_at = $2 where user_id = $1", user_id, now)


async def take_step(tx: Transaction, user_id: UserId, step: int) -> bool:
    """False when a code of this step or a later one was taken before."""
    return (
        await tx.fetchval(
            "update totp_seeds set last_step = $2 where user_id = $1 and last_step < $2 returning true",
            user_id,
            step,
        )
        is True
    )


async def delete_seed(tx: Transaction, user_id: UserId) -> None:
    await tx.execute("delete from totp_seeds where user_id = $1", user_id)


async def select_seeds(tx: Transaction, after: UUID, limit: int) -> list[Row]:
    """Of the whole instance, in the order of people's ids, locked: needs a system transaction."""
    return await tx.fetch(
        "select user_id, sealed from totp_seeds where user_id > $1 order by user_id limit $2 for update",
        after,
        limit,
    )


async def replace_sealed(tx: Transaction, changed: Sequence[tuple[UUID, bytes]]) -> None:
    await tx.executemany("update totp_seeds set sealed = $2 where user_id = $1", changed)


async def insert_recovery_codes(
    tx: Transaction, user_id: UserId, hashes: Sequence[bytes], now: datetime
) -> None:
    await tx.execute(
        """
        insert into recovery_codes (user_id, code_hash, created_at)
        select $1, code_hash, $3 from unnest($2::bytea[]) code_hash
        """,
        user_id,
        hashes,
        now,
    )


async def delete_recovery_codes(tx: Transaction, user_id: UserId) -> None:
    await tx.execute("delete from recovery_codes where user_id = $1", user_id)


async def take_recovery_code(tx: Transaction, user_id: UserId, code_hash: bytes, now: datetime) -> bool:
    """False when there is no such unused code."""
    return (
        await tx.fetchval(
            """
            update recovery_codes set used_at = $3
            where user_id = $1 and code_hash = $2 and used_at is null
            returning true
            """,
            user_id,
            code_hash,
            now,
        )
        is True
    )


async def count_recovery_codes(tx: Transaction, user_id: UserId) -> int:
    """How many are left."""
    return int(
        await tx.fetchval(
            "select count(*) from recovery_codes where user_id = $1 and used_at is null", user_id
        )
    )
