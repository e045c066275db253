"""What callers are called, for histories that keep who did something by id."""

from collections.abc import Iterable

from edgeflow_cloud import api_keys, identity
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import ApiKeyId, TenantId, UserId


async def name_callers(tx: Transaction, tenant_id: TenantId, wire_ids: Iterable[str]) -> dict[str, str]:
    """`usr_…` -> the person's name (the address of one without), `key_…` -> the API key's name.

    Who is gone, a device and the platform have no name here.
    """
    wanted = set(wire_ids)
    people = {UserId(ids.decode(ids.USER, one)) for one in wanted if one.startswith(f"{ids.USER}_")}
    keys = {ApiKeyId(ids.decode(ids.API_KEY, one)) for one in wanted if one.startswith(f"{ids.API_KEY}_")}
    named: dict[str, str] = {}
    if people:
        for user_id, user in (await identity.get_users(tx, people)).items():
            named[ids.encode(ids.USER, user_id)] = f"{user.first_name} {user.last_name}".strip() or user.email
    if keys:
        for key_id, name in (await api_keys.find_names(tx, tenant_id, sorted(keys))).items():
            named[ids.encode(ids.API_KEY, key_id)] = name
    return named
