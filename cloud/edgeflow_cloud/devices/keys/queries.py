"""SQL on `device_keys` for those who look after them."""

from datetime import datetime

from edgeflow_cloud.infra.db import Row, Transaction
from edgeflow_cloud.kernel.ids import DeviceId, DeviceKeyId, TenantId

DELETE_ENDED_KEYS = """
delete from device_keys where (tenant_id, device_id, id) in (
    select tenant_id, device_id, id from device_keys where expires_at < $1 order by expires_at limit $2
)"""


async def select_good_keys(
    tx: Transaction, tenant_id: TenantId, device_id: DeviceId, now: datetime
) -> list[Row]:
    """Keys that are good at `now`, the newest first."""
    return await tx.fetch(
        """
        select id, prefix, created_at, expires_at from device_keys
        where tenant_id = $1 and device_id = $2 and (expires_at is null or expires_at > $3)
        order by id desc
        """,
        tenant_id,
        device_id,
        now,
    )


async def end_key(
    tx: Transaction, tenant_id: TenantId, device_id: DeviceId, key_id: DeviceKeyId, now: datetime
) -> str | None:
    """The key ends now; answers its prefix, or None when there is no such key that is good."""
    return await tx.fetchval(
        """
        update device_keys set expires_at = $4
        where tenant_id = $1 and device_id = $2 and id = $3 and (expires_at is null or expires_at > $4)
        returning prefix
        """,
        tenant_id,
        device_id,
        key_id,
        now,
    )


async def select_ending_keys(tx: Transaction, since: datetime, within: float) -> list[Row]:
    """(device_id, hash, seconds) of the keys of all organizations that ended after `since` or end in so many seconds;
    `seconds` is how long they are still good.
    """
    return await tx.fetch(
        """
        select k.device_id, k.hash, greatest(extract(epoch from k.expires_at - now()), 0)::float8 as seconds
        from device_keys k
        where k.expires_at > $1 and k.expires_at <= now() + make_interval(secs => $2)
        """,
        since,
        within,
    )
