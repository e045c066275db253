"""The chain's format, and the walk along it that finds what was changed. Pure; docs/decisions/0011 describes it.

An entry is hashed as the text that an export shows: JSON without spaces, the published fields in their fixed order, in
UTF-8; `old_values` and `new_values` are PostgreSQL's own text of a jsonb value (keys ordered, numbers exact). A seal is

    hash = SHA-256( "edgeflow audit 1\\n" · previous hash (32 bytes) · sequence (8 bytes, big-endian) · entry )

and the first one's previous hash is 32 zero bytes.
"""

import hashlib
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import msgspec

from edgeflow_cloud.audit.model import Break, Flaw
from edgeflow_cloud.kernel import ids

FORMAT = 1
"""The format of new seals. A change of what is hashed gets the next number, and old seals stay verifiable."""
GENESIS = bytes(32)
_DOMAIN = b"edgeflow audit 1\n"


class _Actor(msgspec.Struct):
    kind: str
    id: str


class _Hashed(msgspec.Struct):
    """The fields in the order in which they are hashed."""

    id: str
    organization_id: str
    user_id: str | None
    actor: _Actor
    action: str
    resource_type: str
    resource_id: str
    status: str
    old_values: msgspec.Raw | None
    new_values: msgspec.Raw | None
    ip_address: str | None
    user_agent: str | None
    timestamp: str


class Columns(Protocol):
    """A row by column name."""

    def __getitem__(self, name: str, /) -> object: ...


@dataclass(frozen=True, slots=True)
class Link:
    """One seal beside its entry's text; `entry` is None when the entry is not there."""

    sequence: int
    previous_hash: bytes
    hash: bytes
    entry: bytes | None
    format: int = FORMAT


def entry_text(row: Columns) -> bytes:
    """The text that is hashed, from a row of the columns `queries.WRITTEN` (times and JSON as PostgreSQL's text)."""
    kind, actor = str(row["actor_kind"]), str(row["actor_id"])
    return msgspec.json.encode(
        _Hashed(
            id=_wire(ids.AUDIT, row["id"]),
            organization_id=_wire(ids.ORGANIZATION, row["tenant_id"]),
            user_id=actor if kind == "user" else None,
            actor=_Actor(kind, actor),
            action=str(row["action"]),
            resource_type=str(row["resource_type"]),
            resource_id=str(row["resource_id"]),
            status=str(row["status"]),
            old_values=_raw(row["old_text"]),
            new_values=_raw(row["new_text"]),
            ip_address=_optional(row["ip_address"]),
            user_agent=_optional(row["user_agent"]),
            timestamp=str(row["time_text"]),
        )
    )


def seal(previous: bytes, sequence: int, entry: bytes) -> bytes:
    """The hash of seal number `sequence` on `entry`, 32 bytes."""
    return hashlib.sha256(b"".join((_DOMAIN, previous, sequence.to_bytes(8, "big"), entry))).digest()


class Walk:
    """A walk along one chain: `step` for every seal in order, `meet` for every checkpoint once it is reached.

    Each answers the first thing that is wrong, or None. It begins behind seal number `sequence`, whose hash is
    `head`.
    """

    def __init__(self, sequence: int = 0, head: bytes = GENESIS) -> None:
        self.begun = self.sequence = sequence
        self.head: bytes = head
        self._met: set[int] = set()

    def step(self, link: Link) -> Break | None:
        """Go on by one seal."""
        number = self.sequence + 1
        if link.sequence != number:
            return Break(
                Flaw.SEAL_MISSING, f"Seal {number} is missing; the next one is {link.sequence}.", number
            )
        if link.format != FORMAT:
            return Break(Flaw.FORMAT_UNKNOWN, f"Seal {number} has the unknown format {link.format}.", number)
        if link.previous_hash != self.head:
            return Break(Flaw.LINK_BROKEN, f"Seal {number} does not follow the seal before it.", number)
        if link.entry is None:
            return Break(Flaw.ENTRY_MISSING, f"The entry under seal {number} is gone.", number)
        if seal(self.head, number, link.entry) != link.hash:
            return Break(
                Flaw.ENTRY_CHANGED, f"The entry under seal {number} is not the one that was sealed.", number
            )
        self.sequence, self.head = number, link.hash
        return None

    def meet(self, sequence: int, head: bytes, previous: int | None) -> Break | None:
        """A checkpoint whose signature is good says that seal `sequence`, just stepped on, has the hash `head`."""
        if sequence != self.sequence or head != self.head:
            return contradicted(sequence)
        if previous is not None and previous > self.begun and previous not in self._met:
            return Break(
                Flaw.CHECKPOINT_MISSING,
                f"The checkpoint at seal {sequence} follows one at seal {previous}, which is gone.",
                previous,
            )
        self._met.add(sequence)
        return None


def contradicted(sequence: int) -> Break:
    """What it means that the chain has another hash at `sequence` than was signed."""
    return Break(
        Flaw.CHECKPOINT_CONTRADICTED,
        f"The signed checkpoint at seal {sequence} names another hash than the log has there: the log was written "
        "anew.",
        sequence,
    )


def truncated(sequence: int) -> Break:
    """What it means that seal `sequence` is known from elsewhere and not there."""
    return Break(
        Flaw.TRUNCATED, f"The log once reached seal {sequence}; its newest entries are gone.", sequence
    )


def _wire(prefix: str, value: object) -> str:
    return ids.encode(prefix, value if isinstance(value, UUID) else UUID(str(value)))


def _raw(value: object) -> msgspec.Raw | None:
    return None if value is None else msgspec.Raw(str(value).encode())


def _optional(value: object) -> str | None:
    return None if value is None else str(value)
