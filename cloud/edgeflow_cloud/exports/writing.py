"""Writing an archive: the job behind an order, from the first row to the object in the store."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import IO, Final
from uuid import UUID

from edgeflow_cloud import organizations
from edgeflow_cloud.exports import queries
from edgeflow_cloud.exports.archive import write_archive
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.jobs import Job
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import ExportId, TenantId
from edgeflow_cloud.kernel.principal import system_principal

_CHUNK: Final = 256 * 1024
_TELL: Final = 1.0  # seconds between two notes of how far it is


def export_key(tenant_id: TenantId, export_id: ExportId) -> str:
    """Where the archive is in the object store."""
    return f"{organizations.exports_folder(tenant_id)}/{ids.encode(ids.EXPORT, export_id)}.zip"


async def export(context: Context, payload: dict[str, object]) -> None:
    """Job: write an organization's archive and put it into the object store. Once it is there, nothing more happens."""
    tenant_id = TenantId(UUID(str(payload["tenant_id"])))
    export_id = ExportId(UUID(str(payload["export_id"])))
    principal = system_principal(tenant_id)
    async with context.db.tenant_tx(principal) as tx:
        row = await queries.select_export(tx, tenant_id, export_id)
    if row is None or row["state"] == "done":
        return
    told = 0.0

    async def progress(percent: int, rows: int) -> None:
        nonlocal told
        if time.monotonic() - told >= _TELL:
            async with context.db.tenant_tx(principal) as tx:
                await queries.set_progress(tx, tenant_id, export_id, min(percent, 99), rows)
            told = time.monotonic()

    with tempfile.TemporaryFile() as file:
        rows = await write_archive(context, principal, file, progress)
        size = file.tell()
        await context.blobs.put(
            export_key(tenant_id, export_id), _chunks(file), content_type="application/zip"
        )
    async with context.db.tenant_tx(principal) as tx:
        await queries.finish_export(tx, tenant_id, export_id, rows, size, context.clock.now())


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    file.seek(0)
    while chunk := await asyncio.to_thread(file.read, _CHUNK):
        yield chunk


EXPORT = Job(
    name="organizations.export", handler=export, timeout=timedelta(hours=3), attempts=2, concurrency=2
)
