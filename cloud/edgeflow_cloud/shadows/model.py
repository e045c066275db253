"""A device's shadow, and what an update makes of it. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import cast

import msgspec

from edgeflow_cloud.kernel import ids
from edgeflow_cloud.kernel.errors import Conflict, Invalid, Problem
from edgeflow_cloud.kernel.ids import DeviceId
from edgeflow_protocol.clock import format_time
from edgeflow_protocol.errors import DocumentError
from edgeflow_protocol.shadow import Document, check, delta, escape, merge, stamp

GPIO = "gpio_config"
"""The key of desired that only the agent knows; a client of the field never acts on it."""

METADATA_LIMIT = 256 * 1024
"""Bytes that the dotted paths of one half's leaves may take: long keys above many leaves multiply."""


class Side(StrEnum):
    """Who speaks: people say what is desired, the device what it reports."""

    DESIRED = "desired"
    REPORTED = "reported"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shadow:
    """Both halves, with the times of their leaves. Empty and of version 0 before the first update."""

    device_id: DeviceId
    version: int = 0
    desired: Document = field(default_factory=dict[str, object])
    reported: Document = field(default_factory=dict[str, object])
    desired_metadata: dict[str, str] = field(default_factory=dict[str, str])
    reported_metadata: dict[str, str] = field(default_factory=dict[str, str])
    updated_at: datetime

    @property
    def delta(self) -> Document:
        """The leaves of desired that differ from reported; empty when the device is in step."""
        return delta(self.desired, self.reported)


class Desired(msgspec.Struct, frozen=True, array_like=True):
    """What a device is told: all that is desired, and those leaves of it that it has not reported."""

    version: int
    desired: Document
    delta: Document

    def encode(self) -> bytes:
        """As it travels to the device's hub."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> "Desired":
        """The reverse."""
        return msgspec.json.decode(data, type=cls)


class VersionConflict(Conflict):
    """The update was based on a version that is no longer the current one; nothing was changed."""

    code = "version_conflict"

    def __init__(self, wanted: int, current: int) -> None:
        super().__init__(
            f"The shadow was changed meanwhile: you saw version {wanted}, it is at version {current}. "
            "Read it again and repeat your change; nothing was changed.",
            extra={"current_version": current},
        )


class GpioNotSupported(Conflict):
    """`gpio_config` is wanted of a client of the field, which does not know it; nothing was changed."""

    code = "gpio_config_not_supported"

    def __init__(self) -> None:
        super().__init__(
            "This device's software does not know gpio_config. Update it to the EdgeFlow agent, and once it has "
            "connected set its pins again; leave gpio_config out until then. Nothing was changed."
        )


class ShadowTooLarge(Problem):
    """The half that was to be changed would grow beyond its limit; nothing was changed."""

    status, code, title = 413, "document_too_large", "Shadow too large"


def update(
    shadow: Shadow, side: Side, change: Mapping[str, object], at: datetime, expected: int | None = None
) -> Shadow:
    """`shadow` with `change` merged into one half: null deletes a key, arrays are replaced whole.

    Every accepted update raises the version by exactly one, also one that changes no value: it still says
    that the sender looked at it then. Raises VersionConflict, ShadowTooLarge or Invalid.
    """
    if expected is not None and expected != shadow.version:
        raise VersionConflict(expected, shadow.version)
    _check_numbers(change)
    before = shadow.desired if side is Side.DESIRED else shadow.reported
    after = merge(before, change)
    try:
        check(after)
    except DocumentError as error:
        if error.code == "document_too_large":
            raise ShadowTooLarge(str(error)) from None
        raise Invalid(str(error), code=error.code) from None
    size = path_bytes(after)
    if size > METADATA_LIMIT:
        raise ShadowTooLarge(
            f"The dotted paths of the shadow's leaves would take {size} bytes; at most {METADATA_LIMIT} are "
            "kept. Use shorter keys, or fewer levels above many leaves."
        )
    moved = replace(shadow, version=shadow.version + 1, updated_at=at)
    stamped = format_time(at)
    if side is Side.DESIRED:
        metadata = stamp(shadow.desired_metadata, change, after, stamped)
        return replace(moved, desired=after, desired_metadata=metadata)
    metadata = stamp(shadow.reported_metadata, change, after, stamped)
    return replace(moved, reported=after, reported_metadata=metadata)


def render(shadow: Shadow) -> dict[str, object]:
    """The document as every client reads it: flat metadata, no null, an integer version."""
    return {
        "device_id": ids.encode(ids.DEVICE, shadow.device_id),
        "version": shadow.version,
        "desired": shadow.desired,
        "reported": shadow.reported,
        "delta": shadow.delta,
        "metadata": {"desired": shadow.desired_metadata, "reported": shadow.reported_metadata},
        "updated_at": format_time(shadow.updated_at),
    }


def path_bytes(document: Mapping[str, object], prefix: int = 0) -> int:
    """How many bytes the dotted paths of all leaves take, without making them."""
    total = 0
    for key, value in document.items():
        length = prefix + len(escape(key).encode("utf-8", "replace"))
        if isinstance(value, Mapping) and value:
            total += path_bytes(cast(Mapping[str, object], value), length + 1)
        else:
            total += length
    return total


def _check_numbers(value: object) -> None:
    """JSON has no infinity and no NaN, but a lenient reader lets them in and they would become null."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Invalid("JSON carries no NaN and no infinity; send a number or null.", code="document_not_json")
    if isinstance(value, Mapping):
        for item in cast(Mapping[str, object], value).values():
            _check_numbers(item)
    elif isinstance(value, list):
        for item in cast(list[object], value):
            _check_numbers(item)
