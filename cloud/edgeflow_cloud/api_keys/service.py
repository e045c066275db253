"""Use cases on API keys. A key is asked for in PostgreSQL at every call: a revoked one is dead at once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from edgeflow_cloud import audit, organizations, quotas
from edgeflow_cloud.api_keys import queries
from edgeflow_cloud.api_keys.events import ApiKeysChanged
from edgeflow_cloud.api_keys.model import (
    SHOWN,
    ApiKey,
    clean_networks,
    hash_key,
    make_key,
    no_such_key,
    permissions_for,
    plain_address,
    refuse_unlimited,
    tidy,
)
from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.infra.outbox import announce
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Forbidden
from edgeflow_cloud.kernel.ids import ApiKeyId, ProjectId, TenantId
from edgeflow_cloud.kernel.paging import Page, Slice, encode_cursor, id_after
from edgeflow_cloud.kernel.principal import Kind, Principal


async def create_key(
    tx: Transaction,
    principal: Principal,
    *,
    name: str,
    scopes: Sequence[str],
    life: timedelta | None,
    networks: Sequence[str] = (),
    projects: Sequence[ProjectId] = (),
    now: datetime,
) -> tuple[ApiKey, str]:
    """Make a key, `security.api_key_create`; its text is in this answer and nowhere else.

    Nobody gives a key more than they have themselves. `networks`: from where it may be used; none is everywhere.
    `projects`: what it is limited to; none is the whole organization. Raises Forbidden (naming the missing permission),
    Invalid (`unknown_scope`, `invalid_network`, `scope_not_in_projects`), NotFound (a project), FeatureNotInPlan.
    """
    await quotas.require_feature(tx, principal, "api_access")
    wanted, bound = tidy(scopes), clean_networks(networks)
    limits = tuple(dict.fromkeys(projects)) or None
    if limits is not None:
        refuse_unlimited(wanted)
        known = await organizations.find_projects(
            tx, principal, [ids.encode(ids.PROJECT, one) for one in limits]
        )
        if not set(limits) <= set(known.values()):
            raise organizations.no_such_project()
    for permission in sorted(permissions_for(wanted)):
        if not principal.may(permission):
            raise Forbidden(
                f"A key cannot be given the permission {permission}, which you do not have yourself.",
                extra={"permission": permission},
            )
    key_id, text = ApiKeyId(ids.new()), make_key()
    made = ApiKey(
        tenant_id=principal.tenant_id,
        id=key_id,
        name=name,
        prefix=text[:SHOWN],
        scopes=tuple(wanted),
        created_by=principal.wire_id,
        created_at=now,
        expires_at=None if life is None else now + life,
        last_used_at=None,
        networks=tuple(bound),
        projects=limits,
    )
    await queries.insert_key(
        tx,
        principal.tenant_id,
        key_id,
        name=name,
        hashed=hash_key(text),
        prefix=made.prefix,
        scopes=wanted,
        networks=bound,
        projects=limits,
        created_by=made.created_by,
        expires_at=made.expires_at,
        now=now,
    )
    await audit.record(tx, principal, "security.api_key_create", "api_key", _wire(key_id), new=_written(made))
    await announce(tx, ApiKeysChanged(tenant_id=principal.tenant_id))
    return made, text


async def list_keys(tx: Transaction, principal: Principal, page: Page) -> Slice[ApiKey]:
    """One page, the newest first; keys that have expired stay in it until they are deleted."""
    rows = await queries.select_keys(
        tx,
        principal.tenant_id,
        after=ApiKeyId(id_after(page, ids.API_KEY)) if page.after else None,
        offset=0 if page.after else page.offset,
        limit=page.limit + 1,
    )
    keys = [_key(row) for row in rows[: page.limit]]
    return Slice(
        keys,
        encode_cursor(_wire(keys[-1].id)) if len(rows) > page.limit else None,
        None if page.after else await queries.count_keys(tx, principal.tenant_id),
    )


async def find_names(
    tx: Transaction, tenant_id: TenantId, key_ids: Sequence[ApiKeyId]
) -> dict[ApiKeyId, str]:
    """What those of the given keys are called that the organization (still) has."""
    return {row["id"]: row["name"] for row in await queries.select_names(tx, tenant_id, key_ids)}


async def revoke_key(tx: Transaction, principal: Principal, key_id: ApiKeyId) -> None:
    """End a key, `security.api_key_revoke`; it is dead once this commits. Raises NotFound."""
    row = await queries.delete_key(tx, principal.tenant_id, key_id)
    if row is None:
        raise no_such_key()
    await audit.record(
        tx, principal, "security.api_key_revoke", "api_key", _wire(key_id), old=_written(_key(row))
    )
    await announce(tx, ApiKeysChanged(tenant_id=principal.tenant_id))


async def authenticate(tx: Transaction, key: str, now: datetime, address: str | None) -> Principal | None:
    """The program whose key this is, or None. Takes a `lookup` transaction, and the address that it calls from.

    Raises Forbidden (`address_not_allowed`, `organization_suspended`, `organization_deleted`).
    """
    origin = plain_address(address)
    row = await queries.use_key(tx, hash_key(key), now, origin)
    if row is None:
        return None
    if not row["allowed"]:
        raise Forbidden(
            f"This key may not be used from {origin or 'an unknown address'}. Call from an address that it is bound to,"
            " or ask an owner or admin for a key that names this one. Behind a proxy, set EDGEFLOW_TRUSTED_PROXIES.",
            code="address_not_allowed",
        )
    organizations.refuse_closed(row["closed"])
    return Principal(
        tenant_id=TenantId(row["tenant_id"]),
        kind=Kind.API_KEY,
        id=row["key_id"],
        permissions=permissions_for(row["scopes"]),
        projects=None if row["projects"] is None else frozenset(row["projects"]),
    )


async def is_good(tx: Transaction, principal: Principal, now: datetime) -> bool:
    """Whether a program's key is still good, for sockets that stay open."""
    return await queries.key_is_good(tx, principal.tenant_id, ApiKeyId(principal.id), now)


def _key(row: Row) -> ApiKey:
    fields = dict(row)
    fields["scopes"] = tuple(fields["scopes"])
    fields["networks"] = tuple(fields["networks"])
    fields["projects"] = None if fields["projects"] is None else tuple(fields["projects"])
    return ApiKey(**fields)


def _written(key: ApiKey) -> dict[str, object]:
    return {
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "networks": list(key.networks),
        "projects": None if key.projects is None else [ids.encode(ids.PROJECT, one) for one in key.projects],
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
    }


def _wire(key_id: ApiKeyId) -> str:
    return ids.encode(ids.API_KEY, key_id)
