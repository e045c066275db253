"""Use cases of the second factor. The caller has locked the person (`lock_user`) in the same transaction."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

import structlog

from edgeflow_cloud import audit
from edgeflow_cloud.identity import queries as people
from edgeflow_cloud.identity.mfa import queries
from edgeflow_cloud.identity.mfa.totp import (
    matching_step,
    new_recovery_codes,
    new_seed,
    recovery_hash,
    setup_uri,
)
from edgeflow_cloud.identity.model import User
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.sealing import CannotOpen, Sealed, is_current, seal, unseal
from edgeflow_cloud.infra.secrets import Secrets
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict, FieldError, Invalid, Unavailable
from edgeflow_cloud.kernel.ids import UserId
from edgeflow_cloud.kernel.principal import Principal

if TYPE_CHECKING:
    from edgeflow_cloud.infra.context import Context

log = structlog.get_logger("edgeflow.identity")
_BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class MfaSetup:
    """What an authenticator needs: shown once, and worth nothing before it is confirmed."""

    secret: str
    uri: str


class Factor(StrEnum):
    """What somebody showed beside the password."""

    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"


async def begin_mfa(tx: Transaction, secrets: Secrets, user: User, now: datetime) -> MfaSetup:
    """A new seed that waits for `confirm_mfa`. Raises Conflict (`mfa_already_enabled`)."""
    if user.mfa_enabled:
        raise Conflict(
            "Your account already has a second factor. Disable it first to set up another authenticator.",
            code="mfa_already_enabled",
        )
    seed = new_seed()
    await queries.put_seed(tx, user.id, seal(secrets, seed.encode(), purpose=_purpose(user.id)), now)
    return MfaSetup(seed, setup_uri(seed, user.email))


async def confirm_mfa(
    tx: Transaction, secrets: Secrets, principal: Principal, user: User, code: str, now: datetime
) -> list[str]:
    """The authenticator shows the right code: from now on it is asked for, `user.mfa_enable`.

    Answers the recovery codes. Raises Conflict (`mfa_already_enabled`, `mfa_not_begun`), Invalid
    (`invalid_mfa_code`).
    """
    row = await queries.select_seed(tx, user.id)
    if user.mfa_enabled:
        raise Conflict("The second factor is on already.", code="mfa_already_enabled")
    if row is None:
        raise Conflict("Ask for a secret first (POST /auth/mfa/enable), then confirm.", code="mfa_not_begun")
    seed = _open(secrets, user.id, row["sealed"], now)
    step = matching_step(seed, code, now)
    if step is None or not await queries.take_step(tx, user.id, step):
        raise wrong_code("code")
    await queries.confirm_seed(tx, user.id, now)
    await people.update_mfa_enabled(tx, user.id, now)
    codes = await _replace_recovery_codes(tx, user.id, now)
    await audit.record(tx, principal, "user.mfa_enable", "user", ids.encode(ids.USER, user.id))
    return codes


async def take_code(
    tx: Transaction, secrets: Secrets, user_id: UserId, code: str, now: datetime
) -> Factor | None:
    """Use a code of the authenticator or a recovery code up; None when it is neither, or was taken before."""
    row = await queries.select_seed(tx, user_id)
    if row is None or row["confirmed_at"] is None:
        return None
    hashed = recovery_hash(code)
    if hashed is not None:
        taken = await queries.take_recovery_code(tx, user_id, hashed, now)
        return Factor.RECOVERY_CODE if taken else None
    seed = _open(secrets, user_id, row["sealed"], now)
    step = matching_step(seed, code, now)
    if step is None or not await queries.take_step(tx, user_id, step):
        return None
    return Factor.TOTP


async def disable_mfa(
    tx: Transaction, principal: Principal, user_id: UserId, *, how: str | None = None
) -> None:
    """The password alone is asked for from now on, `user.mfa_disable`; the recovery codes go too."""
    await queries.delete_seed(tx, user_id)
    await queries.delete_recovery_codes(tx, user_id)
    await people.update_mfa_enabled(tx, user_id, None)
    await audit.record(
        tx,
        principal,
        "user.mfa_disable",
        "user",
        ids.encode(ids.USER, user_id),
        new={"how": how} if how else None,
    )


async def renew_recovery_codes(
    tx: Transaction, principal: Principal, user_id: UserId, now: datetime
) -> list[str]:
    """Ten new recovery codes in the place of the old ones, `user.recovery_codes_create`."""
    codes = await _replace_recovery_codes(tx, user_id, now)
    await audit.record(tx, principal, "user.recovery_codes_create", "user", ids.encode(ids.USER, user_id))
    return codes


async def recovery_codes_left(tx: Transaction, user_id: UserId) -> int:
    """How many recovery codes are unused."""
    return await queries.count_recovery_codes(tx, user_id)


def wrong_code(field: str) -> Invalid:
    """The code is not the present one."""
    said = (
        "This code is not right, or was used before. Wait for the next one in your authenticator, and check "
        "that the clock of your phone is right."
    )
    return Invalid(said, code="invalid_mfa_code", fields=[FieldError(field, said)])


async def _replace_recovery_codes(tx: Transaction, user_id: UserId, now: datetime) -> list[str]:
    codes = new_recovery_codes()
    await queries.delete_recovery_codes(tx, user_id)
    await queries.insert_recovery_codes(
        tx, user_id, [hashed for code in codes if (hashed := recovery_hash(code))], now
    )
    return codes


async def _reseal(context: "Context") -> int:
    """Seal every seed with the master key in use. Raises CannotOpen when one cannot be opened."""
    changed, after = 0, UUID(int=0)
    while True:
        async with context.db.system_tx("reseal totp seeds") as tx:
            rows = await queries.select_seeds(tx, after, _BATCH)
            fresh = [
                (row["user_id"], _again(context, row["user_id"], row["sealed"]))
                for row in rows
                if not is_current(context.secrets, row["sealed"])
            ]
            await queries.replace_sealed(tx, fresh)
        changed += len(fresh)
        if len(rows) < _BATCH:
            return changed
        after = rows[-1]["user_id"]


def _again(context: "Context", user_id: UserId, sealed: bytes) -> bytes:
    purpose = _purpose(user_id)
    seed = unseal(context.secrets, sealed, purpose=purpose, now=context.clock.now())
    return seal(context.secrets, seed, purpose=purpose)


def _open(secrets: Secrets, user_id: UserId, sealed: bytes, now: datetime) -> str:
    """The seed. Raises Unavailable (`master_key_missing`) when the key that sealed it is gone."""
    try:
        return unseal(secrets, sealed, purpose=_purpose(user_id), now=now).decode()
    except CannotOpen as error:
        log.error("mfa.cannot_open", user_id=ids.encode(ids.USER, user_id), reason=str(error))
        raise Unavailable(
            "Your second factor cannot be checked: this installation lacks the key that protects it. A recovery "
            "code still lets you in; tell the operator.",
            retry_after=60,
            code="master_key_missing",
        ) from None


def _purpose(user_id: UserId) -> str:
    return f"totp {user_id}"


SEALED = Sealed(what="MFA seeds", reseal=_reseal)
