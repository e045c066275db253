"""From desired and what was done to the steps that close the gap. Pure: the same documents give the same steps.

Keys that this agent does not know stay in the delta: they are another version's, or a flow's. A known key
with a value that cannot be is refused once, with a sentence in `reported.shadow_errors`, and taken back when
it is mended. `flows` has a plan of its own (`deploy.wanted`): its steps take time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from edgeflow_protocol.shadow import same

from ..settings import LOG_LEVELS

ERRORS = "shadow_errors"
LOG_LEVEL = "log_level"
METRICS_INTERVAL = "metrics_interval_seconds"
METRIC_INTERVAL = "metric_interval_seconds"
"""The published spelling; the other one is an older agent's, and both are obeyed."""
AUTOSTART = "autostart"
ENVIRONMENT = "environment"
SECRETS = "secrets"
GPIO = "gpio_config"
FLOWS = "flows"
PIN_MODES = ("input", "input_pullup", "input_pulldown", "output", "output_high", "output_low")
_SHORTEST, _LONGEST = 1, 3600
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_PIN = re.compile(r"(?:pin_|gpio_?)?(\d{1,3})")
_MOST_VALUES = 256
_LONGEST_VALUE = 16 * 1024


@dataclass(frozen=True, slots=True)
class SetLogLevel:
    """Log from `level` on: `debug`, `info`, `warning` or `error`."""

    level: str


@dataclass(frozen=True, slots=True)
class SetMetricsInterval:
    """Take a sample every `seconds`, 1 to 3600; `key` is how it was spelled."""

    seconds: float
    key: str = METRICS_INTERVAL


@dataclass(frozen=True, slots=True)
class SetAutostart:
    """Whether flows start with the agent."""

    autostart: bool


@dataclass(frozen=True, slots=True)
class SetEnvironment:
    """The variables that flows see, all of them."""

    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SetSecrets:
    """The secrets that flows see, all of them. They are never reported and never logged."""

    values: Mapping[str, str]

    def __repr__(self) -> str:
        return f"SetSecrets({', '.join(self.values)})"


@dataclass(frozen=True, slots=True)
class SetPins:
    """How pins are used, by BCM number; pins that are not named are left free. `config` is how it was spelled."""

    modes: Mapping[int, str]
    config: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Refuse:
    """The desired value of `key` cannot be: report `reason`, a sentence."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class RestoreConsent:
    """What was wrong with `key` is not any more: take the report of it back."""

    key: str


Step = (
    SetLogLevel
    | SetMetricsInterval
    | SetAutostart
    | SetEnvironment
    | SetSecrets
    | SetPins
    | Refuse
    | RestoreConsent
)


def plan(desired: Mapping[str, object], done: Mapping[str, object]) -> list[Step]:
    """The steps, in order; empty when nothing can or need be done. What they leave is what plans to
    nothing. `done` is what was last done of each key, and `shadow_errors` as reported.
    """
    found = done.get(ERRORS)
    errors: Mapping[str, object] = cast(Mapping[str, object], found) if isinstance(found, Mapping) else {}
    steps: list[Step] = []
    for key, read in _READERS:
        wanted = desired.get(key)
        step = read(wanted) if wanted is not None else None
        if isinstance(step, Refuse):
            if errors.get(key) != step.reason:
                steps.append(step)
            continue
        if key in errors and not (key == GPIO and same(wanted, done.get(key))):
            steps.append(RestoreConsent(key))
        if step is not None and not same(wanted, done.get(key)):
            steps.append(step)
    return steps


def _read_log_level(wanted: object) -> Step:
    if isinstance(wanted, str) and wanted in LOG_LEVELS:
        return SetLogLevel(wanted)
    return Refuse(LOG_LEVEL, f"log_level must be one of {', '.join(LOG_LEVELS)}.")


def _read_interval(key: str) -> Callable[[object], Step]:
    def read(wanted: object) -> Step:
        number = isinstance(wanted, (int, float)) and not isinstance(wanted, bool)
        if number and _SHORTEST <= cast(float, wanted) <= _LONGEST:
            return SetMetricsInterval(cast(float, wanted), key)
        return Refuse(key, f"{key} must be a number from {_SHORTEST} to {_LONGEST}.")

    return read


def _read_autostart(wanted: object) -> Step:
    return (
        SetAutostart(wanted)
        if isinstance(wanted, bool)
        else Refuse(AUTOSTART, "autostart must be true or false.")
    )


def _read_environment(wanted: object) -> Step:
    values = _named(wanted)
    if values is None or not all(isinstance(value, (str, int, float)) for value in values.values()):
        return Refuse(
            ENVIRONMENT,
            "environment must be an object of names (letters, digits, _) with texts, numbers or booleans.",
        )
    return SetEnvironment(values)


def _read_secrets(wanted: object) -> Step:
    values = _named(wanted)
    if values is None or not all(isinstance(value, str) for value in values.values()):
        return Refuse(SECRETS, "secrets must be an object of names (letters, digits, _) with texts.")
    return SetSecrets(cast(Mapping[str, str], values))


def _read_pins(wanted: object) -> Step:
    if not isinstance(wanted, Mapping):
        return Refuse(GPIO, 'gpio_config must be an object, for example {"pin_17": "output"}.')
    config = cast(Mapping[str, object], wanted)
    modes: dict[int, str] = {}
    for name, mode in config.items():
        pin = _PIN.fullmatch(name)
        if pin is None:
            return Refuse(
                GPIO, f"gpio_config has no pin called {name[:40]!r}. Write pin_17 for the pin BCM 17."
            )
        if not isinstance(mode, str) or mode not in PIN_MODES:
            return Refuse(GPIO, f"gpio_config.{name} must be one of {', '.join(PIN_MODES)}.")
        if int(pin[1]) in modes:
            return Refuse(GPIO, f"gpio_config names the pin {pin[1]} twice.")
        modes[int(pin[1])] = mode
    return SetPins(modes, config)


def _named(wanted: object) -> Mapping[str, object] | None:
    if not isinstance(wanted, Mapping):
        return None
    values = cast(Mapping[str, object], wanted)
    fits = len(values) <= _MOST_VALUES and all(
        _NAME.fullmatch(name) and len(str(value)) <= _LONGEST_VALUE for name, value in values.items()
    )
    return values if fits else None


_READERS: tuple[tuple[str, Callable[[object], Step]], ...] = (
    (LOG_LEVEL, _read_log_level),
    (METRICS_INTERVAL, _read_interval(METRICS_INTERVAL)),
    (METRIC_INTERVAL, _read_interval(METRIC_INTERVAL)),
    (AUTOSTART, _read_autostart),
    (ENVIRONMENT, _read_environment),
    (SECRETS, _read_secrets),
    (GPIO, _read_pins),
)
