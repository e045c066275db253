"""Exports, streamed in bounded batches: CSV for people's tables, JSON for programs, JSON lines for keeping and proof.

JSON lines: a line that names the log; a line for each seal with its entry's exact text; each checkpoint behind the seal
that it names; entries that wait for their seal; and a signed line with the SHA-256 of everything before it.
"""

import csv
import hashlib
import io
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final
from uuid import UUID

import msgspec

from edgeflow_cloud.audit import queries, signing
from edgeflow_cloud.audit.chain import GENESIS, entry_text
from edgeflow_cloud.audit.checkpoints import to_link
from edgeflow_cloud.audit.model import Entry, Filter
from edgeflow_cloud.audit.service import to_entry, to_signed
from edgeflow_cloud.infra.context import Context
from edgeflow_cloud.infra.db import Row
from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import NotFound
from edgeflow_cloud.kernel.principal import Principal

BATCH: Final = 1_000
FORMAT: Final = 1
COLUMNS: Final = (
    "timestamp", "id", "sequence", "actor_kind", "actor_id", "user_id", "action", "resource_type", "resource_id",
    "status", "old_values", "new_values", "ip_address", "user_agent",
)  # fmt: skip
_FORMULA: Final = tuple(
    "=+-@\t\r\n＝＋－＠"
)  # what spreadsheets take for a formula's beginning, full width too


async def as_csv(context: Context, principal: Principal, wanted: Filter) -> AsyncIterator[bytes]:
    """The entries that `wanted` names, the newest first, with a line of headings."""
    yield _csv([COLUMNS])
    async for entries in _batches(context, principal, wanted):
        yield _csv([_cells(entry) for entry in entries])


async def as_json(
    context: Context, principal: Principal, wanted: Filter, show: Callable[[Entry], bytes]
) -> AsyncIterator[bytes]:
    """The same entries as one JSON array, each as `show` writes it, a line each."""
    before = b"["
    async for entries in _batches(context, principal, wanted):
        for entry in entries:
            yield before + b"\n" + show(entry)
            before = b","
    yield b"[]\n" if before == b"[" else b"\n]\n"


async def _batches(context: Context, principal: Principal, wanted: Filter) -> AsyncIterator[list[Entry]]:
    before: UUID | None = None
    while True:
        async with context.db.tenant_tx(principal) as tx:
            rows = await queries.select_entries(
                tx, principal.tenant_id, wanted, before=before, offset=0, limit=BATCH
            )
        if rows:
            before = rows[-1]["id"]
            yield [to_entry(row) for row in rows]
        if len(rows) < BATCH:
            return


async def begin(context: Context, principal: Principal, after: int) -> bytes:
    """The hash of seal `after`, which an export that begins behind it stands on. Raises NotFound."""
    if after == 0:
        return GENESIS
    async with context.db.tenant_tx(principal) as tx:
        head = await queries.select_seal_hash(tx, principal.tenant_id, after)
    if head is None:
        raise NotFound(f"This log has no seal {after}; export it from the beginning.", code="seal_not_found")
    return bytes(head)


async def as_lines(context: Context, principal: Principal, after: int, head: bytes) -> AsyncIterator[bytes]:
    """The chain behind seal `after`, whose hash is `head`, with checkpoints and the signed end."""
    digest = hashlib.sha256()
    signer = signing.Signer(context.secrets, context.clock.now())
    organization = ids.encode(ids.ORGANIZATION, principal.tenant_id)
    keys = {key: signing.to_pem(public) for key, public in signer.trusted.items()}
    first = {
        "edgeflow_audit_export": FORMAT,
        "organization_id": organization,
        "after": {"sequence": after, "hash": head.hex()},
        "made_at": signing.moment(context.clock.now()),
        "keys": keys,
    }
    chunk = msgspec.json.encode(first) + b"\n"
    digest.update(chunk)
    yield chunk
    sequence, unsealed = after, 0
    while rows := await _chain(context, principal, sequence):
        checkpoints = await _checkpoints(context, principal, sequence, int(rows[-1]["sequence"]))
        chunk = b"".join(_sealed(row, checkpoints) for row in rows)
        sequence, head = int(rows[-1]["sequence"]), bytes(rows[-1]["hash"])
        digest.update(chunk)
        yield chunk
    last: UUID | None = None
    while rows := await _waiting(context, principal, last):
        chunk = b"".join(b'{"entry":%s}\n' % entry_text(row) for row in rows)
        last, unsealed = rows[-1]["id"], unsealed + len(rows)
        digest.update(chunk)
        yield chunk
    end = signing.ExportEnd(
        edgeflow_audit_export=FORMAT,
        organization_id=organization,
        after=after,
        sequence=sequence,
        hash=head.hex(),
        unsealed=unsealed,
        sha256=digest.hexdigest(),
        made_at=signing.moment(context.clock.now()),
        key_id=signer.key_id,
    )
    yield signer.sign(end).to_json("end") + b"\n"


def plain(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes before what would be one."""
    return f"'{text}" if text.startswith(_FORMULA) else text


async def _chain(context: Context, principal: Principal, after: int) -> list[Row]:
    async with context.db.tenant_tx(principal) as tx:
        return await queries.select_chain(tx, principal.tenant_id, after, BATCH)


async def _checkpoints(context: Context, principal: Principal, after: int, until: int) -> dict[int, bytes]:
    async with context.db.tenant_tx(principal) as tx:
        rows = await queries.select_checkpoints_between(tx, principal.tenant_id, after, until, BATCH)
    return {row["sequence"]: to_signed(row).to_json("checkpoint") + b"\n" for row in rows}


async def _waiting(context: Context, principal: Principal, after: UUID | None) -> list[Row]:
    async with context.db.tenant_tx(principal) as tx:
        return await queries.select_waiting(tx, principal.tenant_id, after, BATCH)


def _sealed(row: Row, checkpoints: dict[int, bytes]) -> bytes:
    link = to_link(row)
    line = b'{"entry":%s,"sequence":%d,"previous_hash":"%s","hash":"%s"}\n' % (
        b"null" if link.entry is None else link.entry,
        link.sequence,
        link.previous_hash.hex().encode(),
        link.hash.hex().encode(),
    )
    return line + checkpoints.get(link.sequence, b"")


def _cells(entry: Entry) -> tuple[str, ...]:
    return (
        signing.moment(entry.timestamp),
        ids.encode(ids.AUDIT, entry.id),
        "" if entry.sequence is None else str(entry.sequence),
        *(plain(text) for text in _texts(entry)),
    )


def _texts(entry: Entry) -> tuple[str, ...]:
    """In the order of COLUMNS, from the actor on."""
    return (
        entry.actor.kind,
        entry.actor.id,
        entry.user_id or "",
        entry.action,
        entry.resource_type,
        entry.resource_id,
        entry.status,
        _json(entry.old_values),
        _json(entry.new_values),
        entry.ip_address or "",
        entry.user_agent or "",
    )


def _json(values: object) -> str:
    return "" if values is None else msgspec.json.encode(values).decode()


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
