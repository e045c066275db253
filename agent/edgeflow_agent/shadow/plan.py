"""From desired and reported to the steps that close the gap. Pure: the same documents give the same steps.

Keys that this agent does not know stay in the delta: they are another version's, or a flow's. A known key
with a value that cannot be is refused once, with a sentence in `reported.shadow_errors`, and taken back when
it is mended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from edgeflow_protocol.shadow import same

from ..settings import LOG_LEVELS

ERRORS = "shadow_errors"
LOG_LEVEL = "log_level"
METRICS_INTERVAL = "metrics_interval_seconds"
_SHORTEST, _LONGEST = 1, 3600


@dataclass(frozen=True, slots=True)
class SetLogLevel:
    """Log from `level` on: `debug`, `info`, `warning` or `error`."""

    level: str


@dataclass(frozen=True, slots=True)
class SetMetricsInterval:
    """Take a sample every `seconds`, 1 to 3600."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refuse:
    """The desired value of `key` cannot be: report `reason`, a sentence."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class RestoreConsent:
    """What was wrong with `key` is not any more: take the report of it back."""

    key: str


Step = SetLogLevel | SetMetricsInterval | Refuse | RestoreConsent


def plan(desired: Mapping[str, object], reported: Mapping[str, object]) -> list[Step]:
    """The steps, in order; empty when nothing can or need be done. What they leave is what plans to
    nothing.
    """
    found = reported.get(ERRORS)
    errors: Mapping[str, object] = cast(Mapping[str, object], found) if isinstance(found, Mapping) else {}
    steps: list[Step] = []
    for key, read in (_LOG_LEVEL_READER, _METRICS_INTERVAL_READER):
        wanted = desired.get(key)
        step = read(wanted) if wanted is not None else None
        if isinstance(step, Refuse):
            if errors.get(key) != step.reason:
                steps.append(step)
            continue
        if key in errors:
            steps.append(RestoreConsent(key))
        if step is not None and not same(wanted, reported.get(key)):
            steps.append(step)
    return steps


def _read_log_level(wanted: object) -> Step:
    if isinstance(wanted, str) and wanted in LOG_LEVELS:
        return SetLogLevel(wanted)
    return Refuse(LOG_LEVEL, f"log_level must be one of {', '.join(LOG_LEVELS)}.")


def _read_metrics_interval(wanted: object) -> Step:
    if isinstance(wanted, (int, float)) and not isinstance(wanted, bool) and _SHORTEST <= wanted <= _LONGEST:
        return SetMetricsInterval(wanted)
    return Refuse(METRICS_INTERVAL, f"{METRICS_INTERVAL} must be a number from {_SHORTEST} to {_LONGEST}.")


_LOG_LEVEL_READER = (LOG_LEVEL, _read_log_level)
_METRICS_INTERVAL_READER = (METRICS_INTERVAL, _read_metrics_interval)
