"""Every SQL statement on `invitations`."""

from collections.abc import Sequence
from datetime import datetime

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import InvitationId, TenantId


async def put_invitation(
    tx: Transaction,
    tenant_id: TenantId,
    invitation_id: InvitationId,
    *,
    email: str,
    role: str,
    extra_permissions: Sequence[str],
    token_hash: bytes,
    created_by: str,
    expires_at: datetime,
    now: datetime,
) -> Row:
    """A new invitation takes the place of an earlier one to the same address, whose link is dead then."""
    row = await tx.fetchrow(
        """
        insert into invitations (
            tenant_id, id, email, role, extra_permissions, token_hash, created_by, created_at, expires_at
        ) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (tenant_id, lower(email)) do update
            set role = excluded.role, extra_permissions = excluded.extra_permissions,
                token_hash = excluded.token_hash, created_by = excluded.created_by,
                created_at = excluded.created_at, expires_at = excluded.expires_at
        returning tenant_id, id, email, role, extra_permissions, created_by, created_at, expires_at
        """,
        tenant_id,
        invitation_id,
        email,
        role,
        list(extra_permissions),
        token_hash,
        created_by,
        now,
        expires_at,
    )
    if row is None:
        raise RuntimeError("an upsert returns its row")
    return row


async def select_invitations(
    tx: Transaction,
    tenant_id: TenantId,
    *,
    now: datetime,
    after: InvitationId | None,
    offset: int,
    limit: int,
) -> list[Row]:
    """Those that are still good, the newest first."""
    return await tx.fetch(
        """
        select tenant_id, id, email, role, extra_permissions, created_by, created_at, expires_at
        from invitations
        where tenant_id = $1 and expires_at > $2 and ($3::uuid is null or id < $3)
        order by id desc
        offset $4 limit $5
        """,
        tenant_id,
        now,
        after,
        offset,
        limit,
    )


async def count_open(tx: Transaction, tenant_id: TenantId, now: datetime, *, but: str = "") -> int:
    """How many are still good, without the one to the address `but`."""
    return await tx.fetchval(
        """
        select count(*) from invitations
        where tenant_id = $1 and expires_at > $2 and lower(email) <> lower($3)
        """,
        tenant_id,
        now,
        but,
    )


async def delete_invitation(tx: Transaction, tenant_id: TenantId, invitation_id: InvitationId) -> Row | None:
    return await tx.fetchrow(
        """
        delete from invitations where tenant_id = $1 and id = $2
        returning tenant_id, id, email, role, extra_permissions, created_by, created_at, expires_at
        """,
        tenant_id,
        invitation_id,
    )


async def take_invitation(
    tx: Transaction, tenant_id: TenantId, token_hash: bytes, now: datetime
) -> Row | None:
    """Use it up: of any number of callers with the token one gets the row."""
    return await tx.fetchrow(
        """
        delete from invitations where tenant_id = $1 and token_hash = $2 and expires_at > $3
        returning tenant_id, id, email, role, extra_permissions, created_by, created_at, expires_at
        """,
        tenant_id,
        token_hash,
        now,
    )


async def find_invitation(tx: Transaction, token_hash: bytes, now: datetime) -> Row | None:
    """Whose invitation it is; runs before a tenant is known."""
    return await tx.fetchrow(
        "select tenant_id, invitation_id, email, organization_name from find_invitation($1, $2)",
        token_hash,
        now,
    )


FORGET_INVITATIONS = """
    delete from invitations where (tenant_id, id) in (
        select tenant_id, id from invitations where expires_at < $1 limit $2
    )
"""
