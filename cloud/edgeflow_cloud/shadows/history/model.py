"""Earlier versions of a shadow: how the way back is kept, and how it is gone. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import cast

from edgeflow_cloud.kernel.errors import NotFound
from edgeflow_cloud.kernel.ids import DeviceId, TenantId
from edgeflow_cloud.shadows.model import Shadow, Side
from edgeflow_protocol.shadow import Document, leaves, merge, same

SNAPSHOT_EVERY = 64
"""Each version that this divides keeps the whole state: no way back is longer."""
REPORTS_KEPT = 2_000
"""Versions for which what the device reported is kept. What people wanted is kept for as long as the plan says."""

_HALVES = ("desired", "reported", "desired_metadata", "reported_metadata")


class Changed(StrEnum):
    """What an update changed: one half, or both were emptied."""

    DESIRED = "desired"
    REPORTED = "reported"
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One accepted update. `patch` is the change as it was accepted; `truncated`: too long for a list."""

    version: int
    changed: Changed
    at: datetime
    by_kind: str
    by_id: str
    patch: Document
    truncated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """An update that was accepted and is to be written: from `before` to `after`, saying `patch`."""

    before: Shadow
    after: Shadow
    changed: Changed
    patch: Mapping[str, object]

    def undo(self) -> dict[str, Document]:
        """Merge patches that lead from `after` to `before`, for what differs."""
        ways = {
            half: difference(
                cast("Document", getattr(self.after, half)), cast("Document", getattr(self.before, half))
            )
            for half in _HALVES
        }
        return {half: way for half, way in ways.items() if way}

    def snapshot(self) -> dict[str, Document] | None:
        """The whole state at `after`, where one is due."""
        if self.after.version % SNAPSHOT_EVERY:
            return None
        return {half: cast("Document", getattr(self.after, half)) for half in _HALVES}


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """An update of one device by somebody, as it goes into the database."""

    tenant_id: TenantId
    by_kind: str
    by_id: str
    update: Update

    @property
    def device_id(self) -> DeviceId:
        """Whose shadow it is."""
        return self.update.after.device_id


@dataclass(frozen=True, slots=True)
class Difference:
    """One leaf that differs between two versions; None where it is not there."""

    path: str
    section: Side
    before: object = field(default=None)
    after: object = field(default=None)


class VersionNotKept(NotFound):
    """There was no such version, or it is too old."""

    code = "shadow_version_not_kept"

    def __init__(self, version: int, newest: int) -> None:
        super().__init__(
            f"Version {version} of this shadow is not kept; it is at version {newest} now. "
            "Its history lists the versions that are.",
            extra={"current_version": newest},
        )


def difference(before: Mapping[str, object], after: Mapping[str, object]) -> Document:
    """The smallest merge patch with `merge(before, patch) == after`; both hold no null in an object."""
    patch: Document = {key: None for key in before if key not in after}
    for key, wanted in after.items():
        if key not in before:
            patch[key] = wanted
            continue
        had = before[key]
        if had is wanted:
            continue
        inner = _inner(had, wanted)
        if inner:
            patch[key] = inner
        elif inner is None and (had.__class__ is not wanted.__class__ or not same(had, wanted)):
            patch[key] = wanted
    return patch


def _inner(had: object, wanted: object) -> Document | None:
    """The difference of two objects; None when one of them is none."""
    if isinstance(had, Mapping) and isinstance(wanted, Mapping):
        return difference(cast("Document", had), cast("Document", wanted))
    return None


def walk_back(newer: Shadow, undos: Sequence[Mapping[str, Mapping[str, object]]], version: int) -> Shadow:
    """`newer` without the updates whose `undos` these are, the newest first: the shadow at `version`."""
    halves = {half: cast("Document", getattr(newer, half)) for half in _HALVES}
    for undo in undos:
        for half, way in undo.items():
            halves[half] = merge(halves[half], way)
    stamps = {
        half: cast("dict[str, str]", halves[half]) for half in ("desired_metadata", "reported_metadata")
    }
    return replace(newer, version=version, desired=halves["desired"], reported=halves["reported"], **stamps)


def differences(before: Shadow, after: Shadow) -> list[Difference]:
    """Every leaf of either half that differs, by its dotted path, desired first."""
    found: list[Difference] = []
    for side, old, new in (
        (Side.DESIRED, before.desired, after.desired),
        (Side.REPORTED, before.reported, after.reported),
    ):
        had, has = leaves(old), leaves(new)
        found += [
            Difference(path, side, had.get(path), has.get(path))
            for path in sorted(had.keys() | has.keys())
            if path not in had or path not in has or not same(had[path], has[path])
        ]
    return found
