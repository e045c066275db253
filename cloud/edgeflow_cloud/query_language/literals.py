"""Values as people write them: numbers, ages, times, versions. Pure."""

import re
from datetime import UTC, datetime, timedelta

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGE = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+", re.IGNORECASE)
_AGE_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_VERSION = re.compile(r"[vV]?\d+(?:\.\d+)*(?:[-_ ][^+\s]+)?(?:\+.*)?")
LONGEST_AGE = timedelta(days=36_500)


def read_number(text: str) -> float | None:
    """`80`, `-3.5`, `1e6`, `80%`; None for anything else, and for what no double can hold."""
    bare = text.removesuffix("%")
    if not _NUMBER.fullmatch(bare):
        return None
    number = float(bare)
    return number if abs(number) < 1e300 else None


def read_age(text: str) -> timedelta | None:
    """`90s`, `30m`, `1h`, `1d12h`, `2w`; None for anything else, and for more than a hundred years."""
    if not _AGE.fullmatch(text):
        return None
    seconds = sum(float(number) * _UNITS[unit.lower()] for number, unit in _AGE_PART.findall(text))
    return timedelta(seconds=seconds) if seconds <= LONGEST_AGE.total_seconds() else None


def read_time(text: str) -> datetime | None:
    """RFC 3339, or a day (its first moment, UTC); None for anything else."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def is_version(text: str) -> bool:
    """Whether it can be compared as a version."""
    return _VERSION.fullmatch(text) is not None
