"""The zip itself: written to a file, some rows in memory at a time, one device after the other."""

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import IO, Final

import msgspec

from edgeflow_cloud import devices, identity, organizations
from edgeflow_cloud.exports import queries
from edgeflow_cloud.exports.files import FILES
from edgeflow_cloud.exports.model import LEFT_OUT
from edgeflow_cloud.infra.archive import Archived
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_cloud.kernel.principal import Principal

_WHOLE: Final = 10  # percent of the way that all tables together count for; the rest is devices
_MOST: Final = 1_000_000  # devices

Progress = Callable[[int, int], Awaitable[None]]
"""`progress(percent, rows)`: called after each piece of work."""

README: Final = """\
An archive of one organization of EdgeFlow Cloud.

Every file that ends with .ndjson has one JSON object a line. contents.json says how many lines each has.

people.ndjson            names and addresses of the members; ids as the API writes them
measurements.ndjson      what devices measured of themselves, as they sent it, device by device, the oldest first
measurements_1m.ndjson   the same by minute (1h: by hour, 1d: by day): count, sum, min and max of each metric;
                         sum / count is the mean
measurements_custom*     values that devices name themselves
executions.ndjson        runs of flows, with their nodes
events.ndjson            events of devices
logs.ndjson              log lines of devices
audit_entries.ndjson     the audit log; an export of the log itself has its seals, which can be verified
all others               a table each: devices, shadows, commands, ...

Ids in tables are UUIDs; the API writes the same number in base 32 behind a prefix. Times are in UTC. Neither
passwords, keys nor their hashes are here.
"""


class _Archive:
    """The open zip, and how much is in it."""

    def __init__(self, zipped: zipfile.ZipFile) -> None:
        self._zip = zipped
        self.rows: dict[str, int] = {}

    @property
    def total(self) -> int:
        return sum(self.rows.values())

    async def write(self, file: IO[bytes], name: str, lines: list[str]) -> None:
        data = "".join(f"{line}\n" for line in lines).encode()
        await asyncio.to_thread(file.write, data)
        self.rows[name] = self.rows.get(name, 0) + len(lines)

    def open(self, name: str) -> IO[bytes]:
        self.rows.setdefault(name, 0)
        return self._zip.open(f"{name}.ndjson", "w", force_zip64=True)


async def write_archive(context: Context, principal: Principal, file: IO[bytes], progress: Progress) -> int:
    """Write everything of the principal's organization into `file`; answers how many rows there are."""
    tenant_id = principal.tenant_id
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        archive = _Archive(zipped)
        zipped.writestr("README.txt", README)
        async with context.db.tenant_tx(principal) as tx:
            aimed = devices.Target(all=True)
            fleet = await devices.resolve_target(tx, principal, aimed, limit=_MOST)
            people = await organizations.people_of(tx, tenant_id)
            known = set(await queries.select_tenant_tables(tx))
        with archive.open("people") as part:
            await archive.write(part, "people", [_person(user) for user in people])
        tables = [*sorted(known - LEFT_OUT - FILES.tables()), "organizations", "audit_entries"]
        for place, table in enumerate(tables, 1):
            await _write_table(context, principal, archive, table)
            await progress(place * _WHOLE // len(tables), archive.total)
        files = FILES.all()
        for place, contributed in enumerate(files):
            async for done in _write_devices(context, principal, archive, contributed, fleet):
                share = (place + done) / len(files)
                await progress(_WHOLE + int(share * (100 - _WHOLE)), archive.total)
        contents = {f"{name}.ndjson": rows for name, rows in sorted(archive.rows.items())}
        zipped.writestr("contents.json", json.dumps(contents, indent=2) + "\n")
    return archive.total


async def _write_table(context: Context, principal: Principal, archive: _Archive, table: str) -> None:
    with archive.open(table) as part:
        async with context.db.tenant_tx(principal) as tx:
            async for lines in queries.table_rows(tx, principal.tenant_id, table):
                await archive.write(part, table, lines)


async def _write_devices(
    context: Context, principal: Principal, archive: _Archive, file: Archived, fleet: list[DeviceId]
) -> AsyncIterator[float]:
    """A file that is made device by device, a transaction each; how much of it is done, 0 to 1."""
    with archive.open(file.file) as part:
        for place, device_id in enumerate(fleet, 1):
            async with context.db.tenant_tx(principal) as tx:
                async for lines in queries.device_rows(tx, file.statement, principal.tenant_id, device_id):
                    await archive.write(part, file.file, lines)
            yield place / len(fleet)
    if not fleet:
        yield 1.0


def _person(user: identity.User) -> str:
    return msgspec.json.encode(
        {
            "user_id": ids.encode(ids.USER, user.id),
            "email": user.email,
            "first_name": user.first_name,
            "last_name": user.last_name,
        }
    ).decode()
