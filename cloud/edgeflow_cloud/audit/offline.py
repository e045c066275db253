"""Verification offline: an export's file, the public key, and nothing else."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from edgeflow_cloud.audit.chain import Link, Walk
from edgeflow_cloud.audit.export import FORMAT
from edgeflow_cloud.audit.model import Break, Flaw
from edgeflow_cloud.audit.signing import (
    Checkpoint,
    ExportEnd,
    NotSigned,
    PublicKeys,
    check_signature,
    read_checkpoint,
    split_signed,
)


class NotAnExport(Exception):
    """The file is none that can be verified; `str()` says why."""


class _Head(msgspec.Struct):
    sequence: int
    hash: str


class _First(msgspec.Struct):
    edgeflow_audit_export: int
    organization_id: str
    after: _Head
    made_at: str


class _Sealed(msgspec.Struct):
    entry: msgspec.Raw
    sequence: int
    previous_hash: str
    hash: str


class _Line(msgspec.Struct):
    """Enough of a line to tell its kind."""

    entry: msgspec.Raw = msgspec.Raw()
    checkpoint: msgspec.Raw = msgspec.Raw()
    end: msgspec.Raw = msgspec.Raw()
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class OfflineReport:
    """What a file holds: entries with seal numbers `after` + 1 to `sequence`, and how many waited for a seal."""

    organization_id: str
    after: int
    sequence: int
    head: str
    unsealed: int
    checkpoints: int
    made_at: str
    key_ids: tuple[str, ...]
    broken: Break | None


def verify_lines(lines: Iterable[bytes], trusted: PublicKeys, extra: Sequence[bytes] = ()) -> OfflineReport:
    """Verify an export's lines, each with its line feed. Raises NotAnExport.

    `extra` are checkpoints as they lie in the object store: one that names a seal that the file does not reach shows
    that newest entries were cut off, in the file or in the log before it.
    """
    reading = _Reading(trusted)
    broken = reading.read(lines, extra)
    return OfflineReport(
        organization_id=reading.organization,
        after=reading.walk.begun,
        sequence=reading.walk.sequence,
        head=reading.walk.head.hex(),
        unsealed=reading.unsealed,
        checkpoints=reading.checkpoints,
        made_at=reading.made_at,
        key_ids=tuple(sorted(reading.keys)),
        broken=broken,
    )


class _Reading:
    def __init__(self, trusted: PublicKeys) -> None:
        self._trusted = trusted
        self._digest = hashlib.sha256()
        self._extra: dict[int, Checkpoint] = {}
        self.walk = Walk()
        self.organization = self.made_at = ""
        self.unsealed = self.checkpoints = 0
        self.keys: set[str] = set()

    def read(self, lines: Iterable[bytes], extra: Sequence[bytes]) -> Break | None:
        source = iter(lines)
        self._read_first(next(source, b""))
        if (broken := self._read_extra(extra)) is not None:
            return broken
        for line in source:
            try:
                kind = msgspec.json.decode(line, type=_Line)
            except (msgspec.MsgspecError, UnicodeError):
                return self._cut() if not line.endswith(b"\n") else self._strange()
            if bytes(kind.end):
                return self._read_end(line) or self._nothing_after(source)
            broken = self._read_line(line, kind)
            if broken is not None:
                return broken
            self._digest.update(line)
        return self._cut()

    def _read_first(self, line: bytes) -> None:
        try:
            first = msgspec.json.decode(line, type=_First)
            self.walk = Walk(first.after.sequence, bytes.fromhex(first.after.hash))
        except (msgspec.MsgspecError, UnicodeError, ValueError):
            raise NotAnExport("It is not an export of an audit log as JSON lines.") from None
        if first.edgeflow_audit_export != FORMAT:
            raise NotAnExport(
                f"It has the format {first.edgeflow_audit_export}, which this version does not know: use a newer one."
            )
        self.organization, self.made_at = first.organization_id, first.made_at
        self._digest.update(line)

    def _read_extra(self, extra: Sequence[bytes]) -> Break | None:
        for text in extra:
            try:
                found = read_checkpoint(split_signed(text, "checkpoint"), self.organization, self._trusted)
            except NotSigned as error:
                return Break(
                    Flaw.CHECKPOINT_FORGED, f"A checkpoint that was given is not to be believed: {error}"
                )
            self.keys.add(found.key_id)
            if found.sequence > self.walk.begun:
                self._extra[found.sequence] = found
        return None

    def _read_line(self, line: bytes, kind: _Line) -> Break | None:
        if bytes(kind.checkpoint):
            return self._read_checkpoint(line)
        if not bytes(kind.entry):
            return self._strange()
        if kind.sequence is None:
            self.unsealed += 1
            return None
        if self.unsealed:
            return self._strange()
        try:
            found = msgspec.json.decode(line, type=_Sealed)
            link = Link(
                found.sequence,
                bytes.fromhex(found.previous_hash),
                bytes.fromhex(found.hash),
                None if bytes(found.entry) == b"null" else bytes(found.entry),
            )
        except (msgspec.MsgspecError, ValueError):
            return self._strange()
        broken = self.walk.step(link)
        extra = self._extra.pop(self.walk.sequence, None)
        if broken is None and extra is not None:
            return self.walk.meet(extra.sequence, bytes.fromhex(extra.hash), None)
        return broken

    def _read_checkpoint(self, line: bytes) -> Break | None:
        try:
            found = read_checkpoint(split_signed(line, "checkpoint"), self.organization, self._trusted)
        except NotSigned as error:
            return Break(
                Flaw.CHECKPOINT_FORGED,
                f"The checkpoint behind seal {self.walk.sequence} is not to be believed: {error}",
                self.walk.sequence,
            )
        self.checkpoints += 1
        self.keys.add(found.key_id)
        previous = found.previous.sequence if found.previous is not None else None
        return self.walk.meet(found.sequence, bytes.fromhex(found.hash), previous)

    def _read_end(self, line: bytes) -> Break | None:
        try:
            signed = split_signed(line, "end")
            end = msgspec.json.decode(signed.document, type=ExportEnd)
            check_signature(signed, end.key_id, self._trusted)
        except (NotSigned, msgspec.MsgspecError, UnicodeError) as error:
            return Break(Flaw.FILE_CHANGED, f"The file's last line is not to be believed: {error}")
        self.keys.add(end.key_id)
        told = (end.organization_id, end.after, end.sequence, end.hash, end.unsealed, end.sha256)
        found = (
            self.organization,
            self.walk.begun,
            self.walk.sequence,
            self.walk.head.hex(),
            self.unsealed,
            self._digest.hexdigest(),
        )
        if told != found:
            return Break(
                Flaw.FILE_CHANGED, "The file is not the one that was exported: a line was changed or removed."
            )
        beyond = min(self._extra, default=None)
        if beyond is not None:
            return Break(
                Flaw.TRUNCATED,
                f"The log once reached seal {beyond}, as a given checkpoint shows; this export ends at seal "
                f"{self.walk.sequence}.",
                beyond,
            )
        return None

    def _nothing_after(self, source: Iterable[bytes]) -> Break | None:
        for _ in source:
            return Break(Flaw.FILE_CHANGED, "Lines were added behind the file's signed end.")
        return None

    def _cut(self) -> Break:
        return Break(
            Flaw.FILE_INCOMPLETE,
            "The file has no end: the download broke off, or lines were removed. Download it again.",
            self.walk.sequence,
        )

    def _strange(self) -> Break:
        return Break(
            Flaw.FILE_CHANGED,
            f"The line behind seal {self.walk.sequence} is none of an export.",
            self.walk.sequence,
        )
