"""RFC 3339 times as the wire has them: any offset, up to nine fractional digits (kept to the microsecond)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from .telemetry import AwareTime


def parse_time(text: str) -> datetime | None:
    """The moment in UTC; None for what is empty, not RFC 3339, without an offset, or outside the calendar."""
    try:
        return msgspec.convert(text, AwareTime).astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        return None


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC, ending in `Z`. `moment` carries an offset; raises ValueError if not."""
    if moment.tzinfo is None:
        raise ValueError("A time on the wire needs an offset; give an aware datetime.")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
