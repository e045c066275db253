"""How far this device's clock is from the cloud's, in words."""

from __future__ import annotations

WORTH_SAYING = 60.0
"""Seconds. Less is the journey, and what time synchronization is about to mend."""


def spell_offset(seconds: float) -> str:
    """`10 years behind`, `3 minutes ahead of`: `seconds` is our time less theirs."""
    amount = abs(seconds)
    for unit, length in (("years", 365 * 86400.0), ("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if amount >= 2 * length:
            spelled = f"{amount / length:.0f} {unit}"
            break
    else:
        spelled = f"{amount:.0f} seconds"
    return f"{spelled} {'ahead of' if seconds > 0 else 'behind'}"
