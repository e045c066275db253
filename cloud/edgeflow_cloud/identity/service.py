"""Use cases on people. Each takes the transaction of its caller; a change writes its audit row there."""

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime

from edgeflow_cloud import audit
from edgeflow_cloud.identity import queries
from edgeflow_cloud.identity.model import Credentials, NewUser, User, clean_email
from edgeflow_cloud.identity.passwords import hash_password, is_outdated
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.http import require_version
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict, Invalid, NotFound
from edgeflow_cloud.kernel.ids import UserId
from edgeflow_cloud.kernel.principal import Principal


async def find_credentials(tx: Transaction, email: str) -> Credentials | None:
    """What the password of this address is checked against; None for an unknown or impossible address."""
    try:
        row = await queries.find_user_by_email(tx, clean_email(email))
    except Invalid:
        return None
    return _credentials(row)


async def find_credentials_by_id(tx: Transaction, user_id: UserId) -> Credentials | None:
    """The same for a known person, who is asked for the password once more."""
    return _credentials(await queries.find_user_by_id(tx, user_id))


async def anybody_here(tx: Transaction, *, alone: bool = False) -> bool:
    """Whether the instance has any user at all. `alone` lets one transaction at a time ask, until it ends."""
    if alone:
        await queries.lock_instance(tx)
    return await queries.any_user_exists(tx)


async def add_user(tx: Transaction, principal: Principal, new: NewUser, now: datetime) -> None:
    """Add a person, `user.register`. Raises Conflict (`email_taken`).

    The conflict tells a stranger that the address has an account; docs/decisions says why that is so.
    """
    added = await queries.insert_user(
        tx,
        user_id=new.id,
        email=new.email,
        first_name=new.first_name,
        last_name=new.last_name,
        password_hash=new.password_hash,
        email_verified_at=now if new.email_verified else None,
        terms_accepted_at=now if new.accepted_terms else None,
        newsletter_accepted_at=now if new.wants_newsletter else None,
        now=now,
    )
    if not added:
        raise Conflict(
            "There is already an account with this e-mail address. Log in, or use another address.",
            code="email_taken",
        )
    await audit.record(
        tx,
        principal,
        "user.register",
        "user",
        ids.encode(ids.USER, new.id),
        new={"email": new.email, "first_name": new.first_name, "last_name": new.last_name},
    )


async def get_user(tx: Transaction, user_id: UserId) -> User:
    """A person of the transaction's organization. Raises NotFound for anybody else."""
    row = await queries.select_user(tx, user_id)
    if row is None:
        raise NotFound("There is no such person in this organization.")
    return _user(row)


async def lock_user(tx: Transaction, user_id: UserId) -> User:
    """The same, and nobody else changes or locks this person until the transaction ends."""
    row = await queries.lock_user(tx, user_id)
    if row is None:
        raise NotFound("There is no such person in this organization.")
    return _user(row)


async def get_users(tx: Transaction, user_ids: Iterable[UserId]) -> dict[UserId, User]:
    """Those of the given people who belong to the transaction's organization."""
    rows = await queries.select_users(tx, list(user_ids))
    return {user.id: user for user in map(_user, rows)}


async def update_profile(
    tx: Transaction,
    principal: Principal,
    changes: Mapping[str, str | None],
    *,
    if_match: int | None,
    now: datetime,
) -> User:
    """Change one's own `first_name last_name locale timezone`, `user.update`; what is not in `changes` stays.

    Raises Conflict (`version_conflict`) when `if_match` is not the current version.
    """
    before = await lock_user(tx, UserId(principal.id))
    require_version(if_match, before.version)
    after = dataclasses.replace(before, **changes)
    if after == before:
        return before
    after = dataclasses.replace(after, version=before.version + 1, updated_at=now)
    await queries.update_profile(tx, after)
    await audit.record(
        tx,
        principal,
        "user.update",
        "user",
        principal.wire_id,
        old={name: getattr(before, name) for name in changes},
        new=dict(changes),
    )
    return after


async def change_password(
    tx: Transaction,
    principal: Principal,
    password_hash: str,
    now: datetime,
    *,
    user_id: UserId | None = None,
    how: str | None = None,
) -> None:
    """Set one's own password, or as the platform that of `user_id`; `user.password_change`, with `how` it came about.

    Ending sessions is the caller's part.
    """
    whose = user_id or UserId(principal.id)
    await queries.update_password(tx, whose, password_hash, now)
    await audit.record(
        tx,
        principal,
        "user.password_change",
        "user",
        ids.encode(ids.USER, whose),
        new={"how": how} if how else None,
    )


async def find_users(tx: Transaction, text: str, *, limit: int = 200) -> list[User]:
    """People of the whole instance whose address holds `text`, for its operator: in a system transaction."""
    return [_user(row) for row in await queries.find_users(tx, text, limit)]


async def renewed_hash(password: str, password_hash: str) -> str | None:
    """The same password under today's parameters, or None when its hash already is."""
    return await hash_password(password) if is_outdated(password_hash) else None


async def keep_hash(tx: Transaction, user_id: UserId, password_hash: str) -> None:
    """Store a renewed hash: the password is the same, so nothing is recorded."""
    await queries.replace_hash(tx, user_id, password_hash)


def _credentials(row: Row | None) -> Credentials | None:
    return Credentials(UserId(row["user_id"]), row["password_hash"]) if row else None


def _user(row: Row) -> User:
    return User(
        id=UserId(row["id"]),
        email=row["email"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        email_verified=row["email_verified_at"] is not None,
        mfa_enabled=row["mfa_enabled_at"] is not None,
        locale=row["locale"],
        timezone=row["timezone"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
