"""Background work of an organization's end: the archive, and removing what nobody wants any more.

A purge deletes table by table in small transactions, with the organization itself last: killed anywhere, it goes on
at the next run. The audit log stays: it is what proves that, when and by whom the organization was deleted.
"""

import asyncio
import tempfile
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import IO, Final
from uuid import UUID

import msgspec
import structlog

from edgeflow_cloud import identity
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Transaction
from edgeflow_cloud.infra.jobs import Job, Schedule
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import ExportId, TenantId, UserId
from edgeflow_cloud.kernel.principal import system_principal
from edgeflow_cloud.organizations import queries as organizations
from edgeflow_cloud.organizations.lifecycle import queries
from edgeflow_cloud.organizations.lifecycle.service import EXPORT_LIFE, export_key, exports_folder

log = structlog.get_logger("edgeflow.organizations")

_BATCH: Final = 2_000  # rows a transaction of a purge
_ROWS: Final = 500  # rows read at once for an export
_CHUNK: Final = 256 * 1024
_PATIENCE: Final = timedelta(hours=6)  # an export's job has been tried and parked long before
_AT_ONCE: Final = 20  # organizations a run

_LEFT_OUT: Final = frozenset(
    {
        "sessions",  # log-ins, worthless outside
        "idempotency_keys",  # answers of calls
        "outbox",  # what is on its way
        "telemetry_cursors",  # bookkeeping
        "rollups_due",
        # Too much for an archive; the API answers measurements, events and logs by device.
        *("system_samples", "system_1m", "system_1h", "system_1d"),
        *("custom_samples", "custom_1m", "custom_1h", "custom_1d"),
        *("device_events", "device_logs"),
    }
)
"""Tables that are not in an export."""


async def export(context: Context, payload: dict[str, object]) -> None:
    """Job: write an organization's rows into a zip of JSON lines, a file a table, in the object store."""
    tenant_id = TenantId(UUID(str(payload["tenant_id"])))
    export_id = ExportId(UUID(str(payload["export_id"])))
    principal = system_principal(tenant_id)
    async with context.db.tenant_tx(principal) as tx:
        row = await queries.select_export(tx, tenant_id, export_id)
    if row is None or row["state"] == "done":
        return
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            async with context.db.tenant_tx(principal) as tx:
                for table in await queries.select_tenant_tables(tx):
                    if table not in _LEFT_OUT:
                        await _write_table(archive, tx, tenant_id, table)
                for table in ("organizations", "audit_entries"):
                    await _write_table(archive, tx, tenant_id, table)
                await _write_people(archive, tx, tenant_id)
        size = file.tell()
        await context.blobs.put(
            export_key(tenant_id, export_id), _chunks(file), content_type="application/zip"
        )
    async with context.db.tenant_tx(principal) as tx:
        await queries.finish_export(tx, tenant_id, export_id, "done", size, context.clock.now())


async def purge(context: Context, payload: dict[str, object]) -> None:
    """Job: remove organizations whose grace time is over and old archives; give up those that never came."""
    now = context.clock.now()
    async with context.db.system_tx("purge due") as tx:
        await queries.give_up_exports(tx, now - _PATIENCE, now)
        due = await queries.select_due(tx, now, _AT_ONCE)
    for row in due:
        await _purge(context, TenantId(row["tenant_id"]))
    old = [blob.key async for blob in context.blobs.keys("exports") if blob.changed_at < now - EXPORT_LIFE]
    for key in old:
        await context.blobs.delete(key)


async def _purge(context: Context, tenant_id: TenantId) -> None:
    name = ids.encode(ids.ORGANIZATION, tenant_id)
    async with context.db.system_tx("purge tables") as tx:
        tables = await queries.select_tenant_tables(tx)
    rows = 0
    for table in tables:
        gone = _BATCH
        while gone >= _BATCH:
            async with context.db.system_tx(f"purge {table}") as tx:
                gone = await queries.forget_rows(tx, table, tenant_id, _BATCH)
            rows += gone
    archives = [blob.key async for blob in context.blobs.keys(exports_folder(tenant_id))]
    for key in archives:
        await context.blobs.delete(key)
    async with context.db.system_tx("purge organization") as tx:
        done = await queries.delete_organization(tx, tenant_id, context.clock.now())
    log.info("organizations.purged" if done else "organizations.restored", organization=name, rows=rows)


async def _write_table(archive: zipfile.ZipFile, tx: Transaction, tenant_id: TenantId, table: str) -> None:
    with archive.open(f"{table}.ndjson", "w") as file:
        cursor = await tx.cursor(queries.EXPORT_ROWS, table, tenant_id)
        while rows := await cursor.fetch(_ROWS):
            lines = "".join(f"{row['document']}\n" for row in rows).encode()
            await asyncio.to_thread(file.write, lines)


async def _write_people(archive: zipfile.ZipFile, tx: Transaction, tenant_id: TenantId) -> None:
    """Names and addresses of the members: a person is no tenant's row."""
    rows = await organizations.select_members(tx, tenant_id, after=None, offset=0, limit=100_000)
    people = await identity.get_users(tx, [UserId(row["user_id"]) for row in rows])
    lines = b"".join(
        msgspec.json.encode(
            {
                "user_id": ids.encode(ids.USER, user.id),
                "email": user.email,
                "first_name": user.first_name,
                "last_name": user.last_name,
            }
        )
        + b"\n"
        for user in people.values()
    )
    archive.writestr("people.ndjson", lines)


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    file.seek(0)
    while chunk := await asyncio.to_thread(file.read, _CHUNK):
        yield chunk


EXPORT = Job(name="organizations.export", handler=export, timeout=timedelta(minutes=30), concurrency=2)
PURGE = Job(name="organizations.purge", handler=purge, timeout=timedelta(minutes=30), concurrency=1)
SCHEDULE = Schedule(name="purge organizations", job=PURGE, every=timedelta(hours=1))

__all__ = ["EXPORT", "PURGE", "SCHEDULE", "export", "purge"]
