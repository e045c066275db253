"""Every SQL statement on `users` and `mail_links`."""

from collections.abc import Sequence
from datetime import datetime

from edgeflow_cloud.identity.model import User
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import UserId


async def find_user_by_email(tx: Transaction, email: str) -> Row | None:
    return await tx.fetchrow("select user_id, password_hash from find_user_by_email($1)", email)


async def find_user_by_id(tx: Transaction, user_id: UserId) -> Row | None:
    return await tx.fetchrow("select user_id, password_hash from find_user_by_id($1)", user_id)


async def any_user_exists(tx: Transaction) -> bool:
    return await tx.fetchval("select any_user_exists()") is True


async def lock_instance(tx: Transaction) -> None:
    """One transaction at a time, until it ends; the number is any fixed one."""
    await tx.execute("select pg_advisory_xact_lock(7306001)")


async def insert_user(
    tx: Transaction,
    *,
    user_id: UserId,
    email: str,
    first_name: str,
    last_name: str,
    password_hash: str,
    email_verified_at: datetime | None,
    terms_accepted_at: datetime | None,
    newsletter_accepted_at: datetime | None,
    now: datetime,
) -> bool:
    """False when the address is taken. No `returning`: the new row is not visible before its membership."""
    status = await tx.execute(
        """
        insert into users (
            id, email, first_name, last_name, password_hash, password_changed_at,
            email_verified_at, terms_accepted_at, newsletter_accepted_at, created_at, updated_at
        ) values ($1, $2, $3, $4, $5, $9, $6, $7, $8, $9, $9)
        on conflict do nothing
        """,
        user_id,
        email,
        first_name,
        last_name,
        password_hash,
        email_verified_at,
        terms_accepted_at,
        newsletter_accepted_at,
        now,
    )
    return status == "INSERT 0 1"


async def select_user(tx: Transaction, user_id: UserId) -> Row | None:
    """Row-level security: only a member of the transaction's organization is found."""
    return await tx.fetchrow(
        """
        select id, email, first_name, last_name, email_verified_at, mfa_enabled_at, locale, timezone,
            version, created_at, updated_at
        from users where id = $1
        """,
        user_id,
    )


async def lock_user(tx: Transaction, user_id: UserId) -> Row | None:
    """The same, locked until the transaction ends."""
    return await tx.fetchrow(
        """
        select id, email, first_name, last_name, email_verified_at, mfa_enabled_at, locale, timezone,
            version, created_at, updated_at
        from users where id = $1 for no key update
        """,
        user_id,
    )


async def select_users(tx: Transaction, user_ids: Sequence[UserId]) -> list[Row]:
    return await tx.fetch(
        """
        select id, email, first_name, last_name, email_verified_at, mfa_enabled_at, locale, timezone,
            version, created_at, updated_at
        from users where id = any($1::uuid[])
        """,
        user_ids,
    )


async def update_profile(tx: Transaction, user: User) -> None:
    await tx.execute(
        """
        update users set first_name = $2, last_name = $3, locale = $4, timezone = $5,
            version = $6, updated_at = $7
        where id = $1
        """,
        user.id,
        user.first_name,
        user.last_name,
        user.locale,
        user.timezone,
        user.version,
        user.updated_at,
    )


async def update_password(tx: Transaction, user_id: UserId, password_hash: str, now: datetime) -> None:
    await tx.execute(
        "update users set password_hash = $2, password_changed_at = $3 where id = $1",
        user_id,
        password_hash,
        now,
    )


async def replace_hash(tx: Transaction, user_id: UserId, password_hash: str) -> None:
    """The same password under today's parameters: not a change of the password."""
    await tx.execute("update users set password_hash = $2 where id = $1", user_id, password_hash)


async def find_users(tx: Transaction, text: str, limit: int) -> list[Row]:
    """People of the whole instance whose address holds `text`, for its operator: needs a system transaction."""
    return await tx.fetch(
        """
        select id, email, first_name, last_name, email_verified_at, mfa_enabled_at, locale, timezone,
            version, created_at, updated_at
        from users where position(lower($1) in lower(email)) > 0
        order by created_at, id limit $2
        """,
        text,
        limit,
    )


async def update_mfa_enabled(tx: Transaction, user_id: UserId, at: datetime | None) -> None:
    await tx.execute("update users set mfa_enabled_at = $2 where id = $1", user_id, at)


async def insert_mail_link(
    tx: Transaction,
    token_hash: bytes,
    user_id: UserId,
    purpose: str,
    *,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Needs a system transaction: no person's transaction makes a link that proves an address."""
    await tx.execute(
        """
        insert into mail_links (token_hash, user_id, purpose, created_at, expires_at)
        values ($1, $2, $3, $4, $5)
        """,
        token_hash,
        user_id,
        purpose,
        now,
        expires_at,
    )


async def find_mail_link(tx: Transaction, token_hash: bytes, purpose: str, now: datetime) -> Row | None:
    return await tx.fetchrow(
        "select user_id, email from find_mail_link($1, $2, $3)", token_hash, purpose, now
    )


async def use_mail_link(tx: Transaction, token_hash: bytes, purpose: str, now: datetime) -> Row | None:
    """Of any number of parallel callers one gets the row."""
    return await tx.fetchrow(
        "select user_id, was_verified from use_mail_link($1, $2, $3)", token_hash, purpose, now
    )


FORGET_MAIL_LINKS = """
    delete from mail_links where token_hash in (
        select token_hash from mail_links where expires_at < $1 limit $2
    )
"""
