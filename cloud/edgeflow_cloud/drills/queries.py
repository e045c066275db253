"""What a drill reads from the database at its end, as the server's owner: the truth, not what the API says of it."""

from datetime import datetime
from typing import cast
from uuid import UUID

from edgeflow_cloud.infra.db import PgConnection

RELOAD = "select pg_reload_conf()"
"""Take settings that were altered for the whole server."""


async def list_samples(connection: PgConnection) -> list[tuple[UUID, datetime, int]]:
    """Device, time, and how many rows have that time."""
    rows = await connection.fetch(
        """
        select device_id, coalesce(device_time, time) as time, count(*) as copies
        from system_samples group by 1, 2
        """
    )
    return [(row["device_id"], row["time"], row["copies"]) for row in rows]


async def list_commands(connection: PgConnection) -> list[tuple[UUID, UUID, str]]:
    """Device, command and status."""
    rows = await connection.fetch("select device_id, id, status from commands")
    return [(row["device_id"], row["id"], row["status"]) for row in rows]


async def list_reported(connection: PgConnection) -> list[tuple[UUID, int, object]]:
    """Device, version and reported half of every shadow."""
    rows = await connection.fetch("select device_id, version, reported from shadows")
    return [(row["device_id"], row["version"], row["reported"]) for row in rows]


async def list_online(connection: PgConnection) -> dict[UUID, int]:
    """Devices that count as online, with the epoch of their connection."""
    rows = await connection.fetch("select device_id, epoch from device_presence where online")
    return {cast(UUID, row["device_id"]): cast(int, row["epoch"]) for row in rows}
