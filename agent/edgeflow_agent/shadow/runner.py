"""Performs the plan's steps, and keeps the device's side of the shadow: what is desired (on disk) and what is
so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import assert_never, cast

import msgspec

from edgeflow_protocol import clock
from edgeflow_protocol.shadow import Document, delta, merge, same, stamp

from ..logs import set_level
from ..state import StateError, StateFolder
from .plan import (
    ERRORS,
    LOG_LEVEL,
    METRICS_INTERVAL,
    Refuse,
    RestoreConsent,
    SetLogLevel,
    SetMetricsInterval,
    Step,
    plan,
)

_log = logging.getLogger(__name__)
_FILE = "shadow.json"


class _Kept(msgspec.Struct, frozen=True):
    """What survives a restart, so that a device without its cloud behaves as it was last told."""

    version: int
    desired: dict[str, object]


class ShadowRunner:
    """The shadow as the device knows it. `reported` always says what really is."""

    def __init__(
        self,
        folder: StateFolder,
        *,
        log_level: str,
        metrics_interval: float,
        set_metrics_interval: Callable[[float], None],
    ) -> None:
        self.version = 0
        self.desired: Document = {}
        self.reported: Document = {LOG_LEVEL: log_level, METRICS_INTERVAL: metrics_interval}
        self.updated_at = datetime.now(UTC)
        self._defaults = dict(self.reported)
        self._stamps: dict[str, dict[str, str]] = {"desired": {}, "reported": {}}
        self._folder = folder
        self._set_metrics_interval = set_metrics_interval

    def load(self) -> None:
        """Become again what was last desired. A file that cannot be read is set aside; raises StateError on
        disk.
        """
        stored = self._folder.read(_FILE)
        if stored is None:
            return
        try:
            kept = msgspec.json.decode(stored, type=_Kept)
        except msgspec.DecodeError as error:
            broken = self._folder.set_aside(_FILE)
            _log.error("The stored shadow cannot be read (%s); it is now %s.", error, broken)
            return
        self.version, self.desired = kept.version, kept.desired
        self._reconcile()

    def accept_desired(self, desired: Mapping[str, object], version: int) -> Document:
        """This is what is desired now. Returns what changed in `reported`, to be told to the cloud."""
        document = merge({}, desired)
        if not same(document, self.desired):
            self._stamps["desired"] = stamp(self._stamps["desired"], document, document, self._now())
            self.desired = document
            self.version = version
            self._keep()
        self.version = version
        return self._reconcile()

    def accept_delta(self, change: Mapping[str, object], version: int) -> Document:
        """These leaves of desired differ from what we reported. Returns what changed in `reported`."""
        return self.accept_desired(merge(self.desired, change), version)

    def note(self, facts: Mapping[str, object]) -> None:
        """Facts of the device that are reported, not planned for."""
        self._report(dict(facts))

    def document(self, device_id: str) -> dict[str, object]:
        """The published shadow document, as far as this device knows it."""
        return {
            "device_id": device_id,
            "version": self.version,
            "desired": self.desired,
            "reported": self.reported,
            "delta": delta(self.desired, self.reported),
            "metadata": {half: dict(stamps) for half, stamps in self._stamps.items()},
            "updated_at": clock.format_time(self.updated_at),
        }

    def delta(self) -> Document:
        """What of desired is not so (yet)."""
        return delta(self.desired, self.reported)

    def _reconcile(self) -> Document:
        changed: Document = {}
        # A key that is desired no more goes back to what the device was started with.
        for step in plan(merge(self._defaults, self.desired), self.reported):
            change = self._perform(step)
            self._report(change)
            changed = overlay(changed, change)
        return changed

    def _perform(self, step: Step) -> Document:
        """Do it; returns the change of reported that makes it known."""
        match step:
            case SetLogLevel(level):
                set_level(level)
                _log.info("The log level is now %s, as desired by the shadow.", level)
                return {LOG_LEVEL: level}
            case SetMetricsInterval(seconds):
                self._set_metrics_interval(float(seconds))
                _log.info("Samples are now taken every %g s, as desired by the shadow.", seconds)
                return {METRICS_INTERVAL: seconds}
            case Refuse(key, reason):
                _log.warning("The shadow asks for something that cannot be: %s", reason)
                return {ERRORS: {key: reason}}
            case RestoreConsent(key):
                return {ERRORS: {key: None}}
            case _:
                assert_never(step)

    def _report(self, change: Document) -> None:
        self.reported = merge(self.reported, change)
        self.updated_at = datetime.now(UTC)
        self._stamps["reported"] = stamp(self._stamps["reported"], change, self.reported, self._now())

    def _keep(self) -> None:
        try:
            self._folder.write(_FILE, msgspec.json.encode(_Kept(self.version, self.desired)))
        except StateError as error:
            # It is in force all the same, and the cloud says it again after a restart.
            _log.error("The desired state could not be kept: %s", error)

    def _now(self) -> str:
        return clock.format_time(datetime.now(UTC))


def overlay(one: Mapping[str, object], other: Mapping[str, object]) -> Document:
    """Two changes as one: unlike a merge it keeps nulls, which delete."""
    combined = dict(one)
    for key, value in other.items():
        old = combined.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            value = overlay(cast(Document, old), cast(Document, value))
        combined[key] = value
    return combined
