"""Performs the plan's steps, and keeps the device's side of the shadow: what is desired (on disk) and what is
so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol, assert_never, cast

import msgspec

from edgeflow_protocol import clock
from edgeflow_protocol.shadow import Document, delta, merge, same, stamp

from ..logs import set_level
from ..state import StateError, StateFolder, StoreUnreadable, Vault
from .plan import (
    AUTOSTART,
    ENVIRONMENT,
    ERRORS,
    FLOWS,
    GPIO,
    LOG_LEVEL,
    METRIC_INTERVAL,
    METRICS_INTERVAL,
    SECRETS,
    Refuse,
    RestoreConsent,
    SetAutostart,
    SetEnvironment,
    SetLogLevel,
    SetMetricsInterval,
    SetPins,
    SetSecrets,
    Step,
    plan,
)

_log = logging.getLogger(__name__)
_FILE = "shadow.json"
_SECRETS = "secrets"
_MASK = "***"
_OURS = (FLOWS, ENVIRONMENT, SECRETS, GPIO, ERRORS)
"""Objects of `reported` whose names are this agent's to give and to take."""
_INTERVALS = (METRIC_INTERVAL, METRICS_INTERVAL)


class _Kept(msgspec.Struct, frozen=True):
    """What survives a restart, so that a device without its cloud behaves as it was last told. Secrets are kept apart,
    sealed."""

    version: int
    desired: dict[str, object]


class Effects(Protocol):
    """What the device does of its desired state, beside its own logs and measurements."""

    def set_environment(self, values: Mapping[str, str]) -> None:
        """These are the variables that flows see."""
        ...

    def set_secrets(self, values: Mapping[str, str]) -> None:
        """These are the secrets that flows see."""
        ...

    def set_pins(self, modes: Mapping[int, str]) -> dict[int, str]:
        """Use these pins so and leave others free; a sentence for each that cannot be."""
        ...

    def want_flows(self, desired: object) -> None:
        """The shadow's `flows`, None when there is no such key."""
        ...


class NoEffects:
    """A device that has neither flows nor pins."""

    def set_environment(self, values: Mapping[str, str]) -> None:
        """Nobody reads them."""

    def set_secrets(self, values: Mapping[str, str]) -> None:
        """Nobody reads them."""

    def set_pins(self, modes: Mapping[int, str]) -> dict[int, str]:
        """No pin can be used."""
        return dict.fromkeys(modes, "This device has no pins.")

    def want_flows(self, desired: object) -> None:
        """None can be run."""


class ShadowRunner:
    """The shadow as the device knows it. `reported` always says what really is."""

    def __init__(
        self,
        folder: StateFolder,
        *,
        log_level: str,
        metrics_interval: float,
        set_metrics_interval: Callable[[float], None],
        effects: Effects | None = None,
        vault: Vault | None = None,
    ) -> None:
        self.version = 0
        self.desired: Document = {}
        self._defaults: Document = {
            LOG_LEVEL: log_level,
            METRICS_INTERVAL: metrics_interval,
            AUTOSTART: True,
            ENVIRONMENT: {},
            SECRETS: {},
            GPIO: {},
        }
        self.reported: Document = dict(self._defaults)
        self.updated_at = datetime.now(UTC)
        self._done: Document = dict(self._defaults)
        self._stamps: dict[str, dict[str, str]] = {"desired": {}, "reported": {}}
        self._folder = folder
        self._vault = vault or Vault(folder)
        self._effects: Effects = effects or NoEffects()
        self._set_metrics_interval = set_metrics_interval

    @property
    def autostart(self) -> bool:
        """Whether flows start with the agent."""
        return self._done.get(AUTOSTART) is not False

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
        secrets = self._load_secrets()
        if secrets:
            self.desired[SECRETS] = secrets
        self._reconcile()

    def accept_desired(self, desired: Mapping[str, object], version: int) -> Document:
        """This is what is desired now. Returns what changed in `reported`, to be told to the cloud."""
        document = merge({}, desired)
        if not same(document, self.desired):
            self._stamps["desired"] = stamp(self._stamps["desired"], document, document, self._now())
            before, self.desired = self.desired, document
            self.version = version
            self._keep(secrets=not same(before.get(SECRETS), document.get(SECRETS)))
        self.version = version
        return self._reconcile()

    def accept_delta(self, change: Mapping[str, object], version: int) -> Document:
        """These leaves of desired differ from what we reported. Returns what changed in `reported`."""
        return self.accept_desired(merge(self.desired, change), version)

    def note(self, facts: Mapping[str, object]) -> None:
        """Facts of the device that are reported, not planned for."""
        self._report(dict(facts))

    def stale(self, reported: object) -> Document:
        """What the cloud still has as reported and is no more, as nulls: it went while nobody could say so."""
        gone: Document = {}
        if not isinstance(reported, Mapping):
            return gone
        for key in _OURS:
            theirs = cast("Mapping[str, object]", reported).get(key)
            ours = self.reported.get(key)
            if key == FLOWS and ours is None:
                continue  # They have not been looked at yet; the next sync is soon enough.
            if isinstance(theirs, Mapping):
                names = cast("Mapping[str, object]", theirs).keys()
                known = cast("Document", ours).keys() if isinstance(ours, dict) else set[str]()
                missing: Document = {name: None for name in names if name not in known}
                if missing:
                    gone[key] = missing
        return gone

    def document(self, device_id: str) -> dict[str, object]:
        """The published shadow document, as far as this device knows it. Secrets are masked."""
        desired = dict(self.desired)
        if SECRETS in desired:
            desired[SECRETS] = _masked(desired[SECRETS])
        return {
            "device_id": device_id,
            "version": self.version,
            "desired": desired,
            "reported": self.reported,
            "delta": delta(desired, self.reported),
            "metadata": {half: dict(stamps) for half, stamps in self._stamps.items()},
            "updated_at": clock.format_time(self.updated_at),
        }

    def delta(self) -> Document:
        """What of desired is not so (yet). Secrets are masked."""
        desired = dict(self.desired)
        if SECRETS in desired:
            desired[SECRETS] = _masked(desired[SECRETS])
        return delta(desired, self.reported)

    def _reconcile(self) -> Document:
        changed: Document = {}
        if METRIC_INTERVAL in self._done and METRIC_INTERVAL not in self.desired:
            # Two spellings of one thing: without this one the other counts again.
            self._done = {key: value for key, value in self._done.items() if key not in _INTERVALS}
            changed = {METRIC_INTERVAL: None}
            self._report(changed)
        # A key that is desired no more goes back to what the device was started with.
        for step in plan({**self._defaults, **self.desired}, self._done):
            change = self._perform(step)
            self._report(change)
            changed = overlay(changed, change)
        self._effects.want_flows(self.desired.get(FLOWS))
        return changed

    def _perform(self, step: Step) -> Document:
        """Do it; returns the change of reported that makes it known."""
        match step:
            case SetLogLevel(level):
                set_level(level)
                _log.info("The log level is now %s, as desired by the shadow.", level)
                return self._did(LOG_LEVEL, level)
            case SetMetricsInterval(seconds, key):
                self._set_metrics_interval(float(seconds))
                _log.info("Samples are now taken every %g s, as desired by the shadow.", seconds)
                return self._did(key, seconds)
            case SetAutostart(autostart):
                return self._did(AUTOSTART, autostart)
            case SetEnvironment(values):
                self._effects.set_environment({name: _spell(value) for name, value in values.items()})
                return self._did(ENVIRONMENT, dict(values))
            case SetSecrets(values):
                self._effects.set_secrets(dict(values))
                return self._did(SECRETS, dict(values), _masked(values))
            case SetPins(modes, config):
                return self._set_pins(modes, config)
            case Refuse(key, reason):
                _log.warning("The shadow asks for something that cannot be: %s", reason)
                self._done = merge(self._done, {ERRORS: {key: reason}})
                return {ERRORS: {key: reason}}
            case RestoreConsent(key):
                self._done = merge(self._done, {ERRORS: {key: None}})
                return {ERRORS: {key: None}}
            case _:
                assert_never(step)

    def _set_pins(self, modes: Mapping[int, str], config: Mapping[str, object]) -> Document:
        troubles = self._effects.set_pins(modes)
        pins = dict(zip(modes, config, strict=True))
        change = self._did(
            GPIO, dict(config), {pins[pin]: modes[pin] for pin in modes if pin not in troubles}
        )
        if troubles:
            reason = " ".join(troubles.values())
            _log.warning("Not every pin could be set up: %s", reason)
            self._done = merge(self._done, {ERRORS: {GPIO: reason}})
            change[ERRORS] = {GPIO: reason}
        return change

    def _did(self, key: str, value: object, shown: object = None) -> Document:
        """`key` is as desired now; `shown` is what is reported of it, if that is something else."""
        self._done = {**self._done, key: value}
        shown = value if shown is None else shown
        old = self.reported.get(key)
        if isinstance(shown, dict) and isinstance(old, dict):
            gone: Document = {name: None for name in cast(Document, old) if name not in shown}
            return {key: gone | cast(Document, shown)}
        return {key: shown}

    def _report(self, change: Document) -> None:
        self.reported = merge(self.reported, change)
        self.updated_at = datetime.now(UTC)
        self._stamps["reported"] = stamp(self._stamps["reported"], change, self.reported, self._now())

    def _keep(self, *, secrets: bool) -> None:
        desired = {key: value for key, value in self.desired.items() if key != SECRETS}
        try:
            if secrets:
                self._vault.seal(_SECRETS, msgspec.json.encode(self.desired.get(SECRETS)))
            self._folder.write(_FILE, msgspec.json.encode(_Kept(self.version, desired)))
        except StateError as error:
            # It is in force all the same, and the cloud says it again after a restart.
            _log.error("The desired state could not be kept: %s", error)

    def _load_secrets(self) -> object:
        try:
            stored = self._vault.open(_SECRETS, "secrets for flows")
            return None if stored is None else msgspec.json.decode(stored)
        except (StoreUnreadable, msgspec.DecodeError) as error:
            broken = self._vault.set_aside(_SECRETS)
            _log.error("%s They are now %s; the cloud gives them again.", error, broken.name)
            return None

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


def _masked(secrets: object) -> object:
    """The names, without what they stand for."""
    if isinstance(secrets, Mapping):
        return dict.fromkeys(cast(Mapping[str, object], secrets), _MASK)
    return _MASK


def _spell(value: object) -> str:
    """A variable as programs see it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
